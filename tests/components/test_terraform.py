"""Existing Terraform state: read on the real engine, checked, and refused where it is not what was promised.

``terraform.tfstate`` was written by Terraform 1.11.4 itself, of two ``terraform_data`` resources and five outputs.
"""

import http.server
import json
import shutil
import textwrap
import threading
from pathlib import Path

import pytest

from components.terraform import Kind, TerraformStateError, Wanted, check, outputs_of
from levee import engine
from levee.engine.standin.terraform_state import READS
from levee.errors import LeveeError
from levee.plan import SECRET
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(__file__).with_name("terraform.tfstate")
OUTPUTS = outputs_of(STATE.read_text(), "here")
PROGRAM = """
    import pulumi
    from components.terraform import AzureBlob, Http, Kind, Local, S3, TerraformOutputs, TerraformOutputsArgs, Wanted

    def read(name, state):
        wanted = {
            "vpc_id": Wanted(pattern="vpc-[0-9a-f]+", public=True),
            "subnet_ids": Wanted(Kind.STRINGS, pattern="subnet-.*", at_least=2, public=True),
            "password": Wanted(),
            "zones": Wanted(Kind.MAP),
        }
        return TerraformOutputs(name, TerraformOutputsArgs(state, wanted)).values

    for name, state in STATES.items():
        for output, value in read(name, state).items():
            pulumi.export(f"{name}.{output}", value)
"""


def program(folder, states):
    (folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
    text = textwrap.dedent(PROGRAM).replace("STATES", states)
    (folder / "__main__.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{text}")


class Backend(http.server.BaseHTTPRequestHandler):
    """Terraform's HTTP backend: the state at an address, for whoever knows the password."""

    def do_GET(self):
        allowed = self.headers.get("Authorization") == "Basic bGFrZTp0b2tlbg=="
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(STATE.read_bytes() if allowed else b"")

    def log_message(self, format, *args):  # noqa: A002
        """Nothing on the terminal."""


@pytest.fixture
def backend():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/state"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_state_in_a_file_and_one_behind_http_are_really_read(tmp_path, backend):
    shutil.copy(STATE, tmp_path / "network.tfstate")
    program(tmp_path, f'{{"file": Local("network.tfstate"), "http": Http("{backend}", "lake", "token")}}')
    plan = engine.preview(tmp_path, "dev", engine.Options(pulumi=ensure_pulumi(ROOT)))
    read = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ["subnet-1", "subnet-2"], "password": SECRET, "zones": SECRET}
    assert plan.outputs == {f"{name}.{output}": value for name in ("file", "http") for output, value in read.items()}
    assert not plan.invented_lookups


def test_a_state_without_a_sensitive_output_is_a_secret_all_the_same(tmp_path):
    """Terraform's mark is lost on the way: what nobody called public may be one."""
    state = json.loads(STATE.read_text())
    for output in state["outputs"].values():
        output.pop("sensitive", None)
    (tmp_path / "network.tfstate").write_text(json.dumps(state))
    program(tmp_path, '{"file": Local("network.tfstate")}')
    plan = engine.preview(tmp_path, "dev", engine.Options(pulumi=ensure_pulumi(ROOT)))
    assert plan.outputs["file.password"] == plan.outputs["file.zones"] == SECRET
    assert plan.outputs["file.vpc_id"] == "vpc-0a1b2c3d"


def test_a_state_that_is_not_there_stops_the_preview(tmp_path):
    program(tmp_path, '{"file": Local("network.tfstate")}')
    with pytest.raises(LeveeError) as refused:
        engine.preview(tmp_path, "dev", engine.Options(pulumi=ensure_pulumi(ROOT)))
    assert "no Terraform state" in str(refused.value)


def test_a_relative_path_begins_in_the_programs_folder_and_what_is_no_state_says_how_to_write_it(tmp_path):
    read = READS["terraform:state:getLocalReference"]
    shutil.copy(STATE, tmp_path / "network.tfstate")
    assert read({"path": "network.tfstate"}, tmp_path)["outputs"]["vpc_id"] == "vpc-0a1b2c3d"
    for text, said in (("<html>", "is not JSON"), ('{"version": 3}', "version 3")):
        (tmp_path / "terraform.tfstate").write_text(text)
        with pytest.raises(LeveeError, match=said) as refused:
            read({}, tmp_path)
        assert (refused.value.where, refused.value.exit_code) == (str(tmp_path / "terraform.tfstate"), 2)
        assert "terraform" in (refused.value.fix or "")


@pytest.mark.parametrize("backend", ["getS3Reference", "getAzureRMReference", "getRemoteReference"])
def test_a_state_in_a_cloud_is_never_invented(backend):
    with pytest.raises(LeveeError) as refused:
        READS[f"terraform:state:{backend}"]({"bucket": "acme-state", "key": "n.tfstate"}, Path())
    assert (refused.value.where, refused.value.exit_code) == ("acme-state/n.tfstate", 2)
    assert "lookups.yaml" in (refused.value.fix or "")


WRONG = {
    "it has no output 'vpc' (did you mean 'vpc_id')": {"vpc": Wanted()},
    "it has no output 'x' (it has password, subnet_ids, vpc_id, zones)": {"x": Wanted()},
    "output 'vpc_id' is a string, expected list(string)": {"vpc_id": Wanted(Kind.STRINGS)},
    "output 'subnet_ids' has 2 items, expected 3 or more": {"subnet_ids": Wanted(Kind.STRINGS, at_least=3)},
    "output 'vpc_id' does not match vnet-.*": {"vpc_id": Wanted(pattern="vnet-.*")},
    "output 'zones' is an object, expected bool": {"zones": Wanted(Kind.BOOL)},
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_not_as_promised_is_refused_by_name(said):
    with pytest.raises(TerraformStateError) as refused:
        check(OUTPUTS, WRONG[said], "s3://acme/n.tfstate")
    assert str(refused.value) == f"the Terraform state at s3://acme/n.tfstate: {said}"


def test_all_that_is_wrong_is_said_at_once_and_no_value_is_shown():
    with pytest.raises(TerraformStateError, match=r"'a'.*; .*'password'") as refused:
        check(OUTPUTS, {"a": Wanted(), "password": Wanted(pattern="[0-9]+")}, "here")
    assert "hunter2" not in str(refused.value)


def test_only_what_is_wanted_is_taken():
    assert check(OUTPUTS, {"zones": Wanted(Kind.MAP)}, "here") == {"zones": {"a": "eu-west-1a"}}


@pytest.mark.parametrize(("text", "said"), [("<html>", "is not JSON"), ('{"version": 3}', "version 3"), ("[]", "None")])
def test_a_text_that_is_no_state_is_refused(text, said):
    with pytest.raises(TerraformStateError, match=said):
        outputs_of(text, "here")
