"""Web apps, machines and their disks."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, TLS, closed
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import by_type, differs, either, equals, every, one_of, only_where, present
from levee.compliance.rules.secrets import kept_secret, no_plain_secret_pairs, no_plain_secrets

_WEB: Final = ("azure-native:web:WebApp", "azure-native:web:WebAppSlot")
_SETTINGS: Final = (
    "azure-native:web:WebAppApplicationSettings",
    "azure-native:web:WebAppApplicationSettingsSlot",
)
_MACHINE: Final = "azure-native:compute:VirtualMachine"
_SCALE_SET: Final = "azure-native:compute:VirtualMachineScaleSet"
_DISK: Final = "azure-native:compute:Disk"
_WEB_GUIDE: Final = f"{LEARN}app-service/"
_MACHINE_GUIDE: Final = f"{LEARN}virtual-machines/"

RULES: Final = (
    rule(
        "azure-web-https-only",
        "No web app answers without TLS",
        _WEB,
        equals("httpsOnly", True),
        severity=Severity.HIGH,
        mend="Set `https_only=True`.",
        url=f"{_WEB_GUIDE}overview-tls",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("9.1")),
    ),
    rule(
        "azure-web-tls-1-2",
        "No web app speaks TLS older than 1.2",
        _WEB,
        one_of("siteConfig.minTlsVersion", *TLS, default="1.2"),
        severity=Severity.HIGH,
        mend='Set `site_config={"min_tls_version": "1.2"}`.',
        url=f"{_WEB_GUIDE}overview-tls",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("9.4")),
    ),
    rule(
        "azure-web-no-ftp",
        "Nobody deploys a web app by plain FTP",
        _WEB,
        one_of("siteConfig.ftpsState", "Disabled", "FtpsOnly"),
        severity=Severity.MEDIUM,
        mend='Set `site_config={"ftps_state": "Disabled"}`.',
        url=f"{_WEB_GUIDE}deploy-ftp",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("9.3")),
    ),
    rule(
        "azure-web-no-remote-debugging",
        "No web app lets a debugger in",
        _WEB,
        differs("siteConfig.remoteDebuggingEnabled", True),
        severity=Severity.HIGH,
        mend="Remove `remote_debugging_enabled=True`.",
        url=f"{_WEB_GUIDE}configure-common",
        controls=(*c.HARDENING, *c.cis_azure("9.12")),
    ),
    rule(
        "azure-web-managed-identity",
        "Every web app has an identity, so that it needs no secret",
        _WEB,
        present("identity.type"),
        severity=Severity.MEDIUM,
        mend='Set `identity={"type": "SystemAssigned"}`.',
        url=f"{_WEB_GUIDE}overview-managed-identity",
        controls=(*c.AUTHENTICATION, *c.cis_azure("9.5")),
    ),
    rule(
        "azure-web-no-plain-secrets",
        "No web app has a secret in its settings",
        (*_WEB, *_SETTINGS),
        by_type(
            {
                **dict.fromkeys(
                    _WEB,
                    every(
                        no_plain_secret_pairs("siteConfig.appSettings[*]"),
                        no_plain_secret_pairs("siteConfig.connectionStrings[*]", value="connectionString"),
                    ),
                ),
                **dict.fromkeys(_SETTINGS, no_plain_secrets("properties")),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Put it into a key vault and write `@Microsoft.KeyVault(SecretUri=...)` in its place.",
        url=f"{_WEB_GUIDE}app-service-key-vault-references",
        controls=(*c.SECRETS, *c.cis_azure("9.11")),
    ),
    rule(
        "azure-machine-no-password",
        "Nobody signs in to a Linux machine with a password",
        _MACHINE,
        only_where(
            present("osProfile.linuxConfiguration"),
            equals("osProfile.linuxConfiguration.disablePasswordAuthentication", True),
        ),
        severity=Severity.HIGH,
        mend='Set `linux_configuration={"disable_password_authentication": True, "ssh": {...}}`.',
        url=f"{_MACHINE_GUIDE}linux/create-ssh-keys-detailed",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-machine-password-kept",
        "No machine's password is in plain",
        (_MACHINE, _SCALE_SET),
        by_type(
            {
                _MACHINE: kept_secret("osProfile.adminPassword"),
                _SCALE_SET: kept_secret("virtualMachineProfile.osProfile.adminPassword"),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Read it with `config.require_secret(...)`, or use SSH keys.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
    rule(
        "azure-machine-encrypted-at-host",
        "Temporary disks and caches of every machine are encrypted",
        _MACHINE,
        equals("securityProfile.encryptionAtHost", True),
        severity=Severity.MEDIUM,
        mend='Set `security_profile={"encryption_at_host": True}`.',
        url=f"{_MACHINE_GUIDE}disk-encryption-overview",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-machine-trusted-launch",
        "Every machine boots only what is signed",
        _MACHINE,
        every(
            one_of("securityProfile.securityType", "TrustedLaunch", "ConfidentialVM"),
            equals("securityProfile.uefiSettings.secureBootEnabled", True),
            equals("securityProfile.uefiSettings.vTpmEnabled", True),
        ),
        severity=Severity.MEDIUM,
        mend='Set `security_profile` to `{"security_type": "TrustedLaunch", "uefi_settings": {"secure_boot_enabled": '
        'True, "v_tpm_enabled": True}}`.',
        url=f"{_MACHINE_GUIDE}trusted-launch",
        controls=(*c.HARDENING, *c.cis_azure("8.11")),
    ),
    rule(
        "azure-disk-customer-managed-key",
        "Every disk is encrypted with a key of ours",
        _DISK,
        either(present("encryption.diskEncryptionSetId"), present("securityProfile.secureVMDiskEncryptionSetId")),
        severity=Severity.MEDIUM,
        mend='Set `encryption={"type": "EncryptionAtRestWithCustomerKey", "disk_encryption_set_id": set.id}`.',
        url=f"{_MACHINE_GUIDE}disk-encryption",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_azure("8.3", "8.4")),
    ),
    rule(
        "azure-disk-not-public",
        "No disk is exported over the internet",
        _DISK,
        either(closed(), one_of("networkAccessPolicy", "DenyAll", "AllowPrivate")),
        severity=Severity.HIGH,
        mend='Set `network_access_policy="DenyAll"` and `public_network_access="Disabled"`.',
        url=f"{_MACHINE_GUIDE}disks-restrict-import-export-overview",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("8.5")),
    ),
)
