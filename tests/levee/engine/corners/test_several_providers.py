"""Explicit providers: several regions and accounts in one program, inherited by children and by lookups."""

PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    def provider(name, region, account):
        role = {"role_arn": f"arn:aws:iam::{account}:role/deploy"}
        return aws.Provider(name, region=region, assume_roles=[role], default_tags={"tags": {"owner": name}})

    class Site(pulumi.ComponentResource):
        def __init__(self, name, opts):
            super().__init__("probe:index:Site", name, {}, opts)
            inherited = pulumi.ResourceOptions(parent=self)
            self.topic = aws.sns.Topic(f"{name}-topic", name="same-name", opts=inherited)
            self.account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
            self.region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region

    for name, region, account in (("west", "us-west-2", "111111111111"), ("north", "eu-north-1", "222222222222")):
        site = Site(name, pulumi.ResourceOptions(providers={"aws": provider(name, region, account)}))
        pulumi.export(name, [site.topic.arn, site.account, site.region, site.topic.tags_all])
    plain = aws.sns.Topic("plain", name="plain")
    pulumi.export("plain", plain.arn)
    other = provider("other", "sa-east-1", "333333333333")
    there = aws.sns.Topic("there", name="there", opts=pulumi.ResourceOptions(provider=other))
    pulumi.export("there", there.arn)
"""


def test_each_provider_has_its_region_and_its_account(project):
    run = project(PROGRAM, config="config: {aws:region: eu-west-1}\n")
    up = run("up")
    assert up.outputs["west"][:3] == ["arn:aws:sns:us-west-2:111111111111:same-name", "111111111111", "us-west-2"]
    assert up.outputs["north"][:3] == ["arn:aws:sns:eu-north-1:222222222222:same-name", "222222222222", "eu-north-1"]
    assert up.outputs["plain"] == "arn:aws:sns:eu-west-1:123456789012:plain"
    assert up.outputs["there"] == "arn:aws:sns:sa-east-1:333333333333:there"
    assert not run("up").changes
    assert not run("refresh").changes
