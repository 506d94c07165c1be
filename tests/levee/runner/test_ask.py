"""A question to the wheel: the job's own parameters, an answer in JSON, a refusal by its exit code."""

import pytest

from levee.errors import EngineError, GateError, UsageError
from levee.lock import exclusive
from levee.runner import Surroundings, job_of, request
from levee.runner.ask import ask

ANSWERS = """#!/bin/sh
for last; do :; done
printf '%s\\n' "$@" > "$last.arguments"
{body}
"""


@pytest.fixture
def question(stack, task, tmp_path, prepared):
    """Asks a wheel that answers as a shell script says."""

    def ask_wheel(body, *arguments, **more):
        prepared.python.write_text(ANSWERS.format(body=body))
        around = Surroundings(tmp_path, "local")
        around.folder.mkdir(parents=True, exist_ok=True)
        job = job_of(stack(task("good")), "sales")
        return ask("pipelines.summary", job, around, prepared, arguments, **more)

    return ask_wheel


def test_the_wheel_is_told_where_the_domain_is_and_what_is_asked(question):
    listed = "import json, sys; print(json.dumps(open(sys.argv[1]).read().split()))"
    answer = question(f'python3 -c "{listed}" "$last.arguments" > "$last"', "--table=things")
    assert answer[:3] == ["-P", "-m", "pipelines.summary"]
    assert "--domain=sales" in answer
    assert "--bronze=gs://acme-bronze" in answer
    assert answer[-3:-1] == ["--table=things", "--json"]


def test_further_variables_reach_the_wheel(question):
    assert question('echo "\\"$ASKED\\"" > "$last"', variables={"ASKED": "yes"}) == "yes"


@pytest.mark.parametrize(("code", "error"), [(1, GateError), (2, UsageError), (3, EngineError), (137, EngineError)])
def test_a_refusal_has_the_wheels_words_and_its_exit_code(question, code, error):
    with pytest.raises(error, match="it is so") as told:
        question(f"echo it is so >&2; exit {code}", fix="do this")
    assert told.value.fix == "do this"


def test_no_answer_is_a_failure(question):
    with pytest.raises(EngineError, match="gave no answer"):
        question("exit 0")


OUTLIVES = """
(until [ -e {end} ]; do sleep 0.05; done) > /dev/null 2>&1 &
echo '{{}}' > "$last"
"""


def test_what_is_asked_alone_keeps_others_out_while_the_wheel_outlives_who_asked(
    stack, task, tmp_path, prepared, monkeypatch
):
    end, around = tmp_path / "end", Surroundings(tmp_path, "local")
    around.folder.mkdir(parents=True)
    prepared.python.write_text(ANSWERS.format(body=OUTLIVES.format(end=end)))
    monkeypatch.setattr(request, "ensure_data_env", lambda root, engine, console: prepared)
    job, lock = job_of(stack(task("good")), "sales"), around.folder / "locks" / "run"

    def asked(alone):
        request.request("pipelines.privacy", job, "local", "erase", command="levee erase", root=tmp_path, alone=alone)

    try:
        asked(alone=False)
        with exclusive(lock, doing="levee run"):
            pass
        asked(alone=True)
        with pytest.raises(EngineError, match=r"levee erase .* is at work"), exclusive(lock, doing="levee run"):
            pass
    finally:
        end.touch()
    with exclusive(lock, doing="levee run", patience=20):
        pass
