"""State in S3 and in Azure's blob storage, through Pulumi's real Terraform provider: what no stand-in can prove.

``moto`` is the one cloud, ``azurite`` the other. The provider is a program that Pulumi fetches from its own server:
where it is not installed these tests are skipped. Google Cloud Storage is read by Pulumi's gcp provider, of which the
same holds; no test asks it.
"""

import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from levee import engine
from levee.errors import LeveeError
from levee.plan import SECRET
from levee.toolchain import ensure_pulumi, uv_path
from tests.components.test_terraform import ROOT, STATE, program

HOME = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
PROVIDER = "pulumi-resource-terraform"
MOTO = "moto[server]==5.2.5"
BUCKET = "Acme-State"
"""No name that a host may have: so the client asks for it by path, since the server has but one host."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which(PROVIDER) or list(HOME.glob("plugins/resource-terraform-v6.*"))),
        reason="Pulumi's Terraform provider is not there: pulumi plugin install resource terraform 6.1.0",
    ),
    pytest.mark.skipif(not shutil.which("npx"), reason="no npx, which azurite is started with"),
]


@contextmanager
def serving(command, says, **environment):
    """A server's port, as it says it."""
    server = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # npx and uv leave their children behind
    )
    try:
        said = []
        for line in server.stdout or ():
            said.append(line)
            if found := re.search(says, line):
                yield int(found[1])
                return
        pytest.fail("".join(said))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate()


@pytest.fixture
def online(tmp_path, monkeypatch):
    """Previews a program as on a real cloud: with the real provider, the user's own backend and credentials."""
    folder, backend = tmp_path / "probe", tmp_path / "backend"
    folder.mkdir()
    backend.mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend.as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "passphrase")
    pulumi = ensure_pulumi(ROOT)

    def preview(states, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        program(folder, states)
        subprocess.run([pulumi, "stack", "init", "dev"], cwd=folder, check=True, capture_output=True)
        return engine.preview(folder, "dev", engine.Options(offline=False, pulumi=pulumi)).outputs

    return preview


@pytest.fixture
def s3():
    """The address of an S3 that holds the state."""
    command = [uv_path(ROOT), "tool", "run", "--quiet", "--from", MOTO, "moto_server", "-H", "127.0.0.1", "-p", "0"]
    with serving(command, r"Running on http://127\.0\.0\.1:(\d+)") as port:
        address = f"http://127.0.0.1:{port}"
        httpx.put(f"{address}/{BUCKET}").raise_for_status()
        httpx.put(f"{address}/{BUCKET}/network/terraform.tfstate", content=STATE.read_bytes()).raise_for_status()
        yield address


AZURITE = "azurite@3.37.0"
AZURE_SDK = "azure-storage-blob==12.27.*"
ACCOUNT, KEY = "acmestate", b64encode(b"a key that opens nothing").decode()
HOST = f"{ACCOUNT}.blob.core.windows.net"
UPLOAD = """
import sys
from azure.storage.blob import BlobServiceClient
host, key, file, proxy, certificate = sys.argv[1:]
azure = BlobServiceClient(f"https://{host}", key, proxies={"https": proxy}, connection_verify=certificate)
azure.create_container("state").upload_blob("network.tfstate", open(file, "rb"))
"""


def certificate(folder):
    """A certificate of the account's host, which only who is told to believes."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = folder / "certificate.pem", folder / "key.pem"
    for file, content in zip(files, (made.sign(key, SHA256()).public_bytes(Encoding.PEM), private), strict=True):
        file.write_bytes(content)
    return files


class Proxy(socketserver.ThreadingTCPServer):
    """Takes whoever asks for a host of Azure's to the port where azurite is."""

    daemon_threads = True

    def __init__(self, port):
        self.port = port
        super().__init__(("127.0.0.1", 0), socketserver.StreamRequestHandler)

    def finish_request(self, request, client_address):
        asked = request.makefile("rb")
        while asked.readline().strip():
            pass
        request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            back = threading.Thread(target=pour, args=(there, request), daemon=True)
            back.start()
            pour(request, there)
            back.join()


def pour(source, sink):
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def azure(tmp_path):
    """What leads a program to an account of Azure's that holds the state, and opens it."""
    public, private = certificate(tmp_path)
    command = ["npx", "--yes", "--package", AZURITE, "azurite-blob", "--blobPort", "0", "--inMemoryPersistence"]
    command += ["--cert", public, "--key", private, "--skipApiVersionCheck", "--disableTelemetry"]
    with (
        serving(command, r"listens on https://127\.0\.0\.1:(\d+)", AZURITE_ACCOUNTS=f"{ACCOUNT}:{KEY}") as port,
        Proxy(port) as proxy,
    ):
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        upload = [uv_path(ROOT), "run", "--quiet", "--no-project", "--with", AZURE_SDK, "python", "-c", UPLOAD]
        subprocess.run([*upload, HOST, KEY, STATE, address, public], check=True)
        yield {"HTTPS_PROXY": address, "SSL_CERT_FILE": str(public), "ARM_ACCESS_KEY": KEY}
        proxy.shutdown()


READ = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ["subnet-1", "subnet-2"], "password": SECRET, "zones": SECRET}


def s3_of(address):
    """What a user's environment says of another S3 than Amazon's."""
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    return {**keys, "AWS_S3_ENDPOINT": address, "AWS_STS_ENDPOINT": address, "AWS_IAM_ENDPOINT": address}


def test_a_state_in_s3_is_read_and_secret_but_for_what_is_called_public(online, s3):
    state = f'S3("{BUCKET}", "network/terraform.tfstate", "eu-west-1")'
    assert online(f'{{"s3": {state}}}', **s3_of(s3)) == {f"s3.{output}": value for output, value in READ.items()}


def test_a_state_that_s3_does_not_have_stops_the_preview(online, s3):
    with pytest.raises(LeveeError) as refused:
        online(f'{{"s3": S3("{BUCKET}", "gone.tfstate", "eu-west-1")}}', **s3_of(s3))
    assert "state" in str(refused.value)


def test_a_state_in_azure_is_read_and_secret_but_for_what_is_called_public(online, azure):
    state = f'AzureBlob("{ACCOUNT}", "state", "network.tfstate")'
    assert online(f'{{"blob": {state}}}', **azure) == {f"blob.{output}": value for output, value in READ.items()}
