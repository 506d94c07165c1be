"""Programs and projects that are wrong, each on the real engine: one error with file, line and mend, and nothing left.

What is asked of every case: the message says what is wrong in the user's words, no traceback and no frame of ours is in
it, and the stack is whole and free afterwards.
"""

import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from levee.engine import ProgramError, find_project
from levee.engine.program import NO_SDK
from levee.errors import UsageError

RANDOM = "import asyncio, os, signal, subprocess, sys, threading, time\nimport pulumi\nimport pulumi_random as random\n"
COMPONENT = """
class Shelf(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("probe:index:Shelf", name, {}, opts)
"""


@pytest.fixture(scope="module")
def stack(shared_project):
    """One stack for programs that are only previewed: what one left must not be in the way of the next."""
    return shared_project("import pulumi\n")


def failure(run, operation="preview", **options):
    """What a run is refused with, checked for what holds of every refusal."""
    with pytest.raises(UsageError) as refused:
        run(operation, **options)
    error = refused.value
    assert error.where, error
    assert error.fix, error
    assert "Traceback" not in str(error)
    assert "levee/engine/" not in str(error)
    assert len(str(error).splitlines()) < 20, "one screen"
    assert not list(run.workspace().state.rglob("locks/**/*.json")), "the lock is free"
    return error


def alive(command):
    """Processes whose command line holds that text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if command.encode() in (folder / "cmdline").read_bytes().replace(b"\0", b" "):
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def test_a_resource_twice_names_both_lines(stack):
    run = stack.write(RANDOM + "random.RandomPet('a')\n\nrandom.RandomPet('a')\n")
    error = failure(run)
    assert "called 'a', first at __main__.py:4" in error.message
    assert error.where == "__main__.py:6"


def test_a_circle_of_depends_on_names_the_resource_and_its_line(stack):
    run = stack.write(
        RANDOM
        + COMPONENT
        + "shelf = Shelf('shelf')\n"
        + "book = random.RandomPet('book', opts=pulumi.ResourceOptions(depends_on=[shelf]))\n"
        + "random.RandomPet('page', opts=pulumi.ResourceOptions(parent=shelf, depends_on=[book]))\n"
    )
    error = failure(run)
    assert "circular dependency" in error.message
    assert "'book'" in error.message
    assert error.where == "__main__.py:9"


def test_a_circle_through_outputs_is_found_and_not_waited_for(stack):
    run = stack.write(
        RANDOM
        + "later = asyncio.Future()\n"
        + "one = random.RandomPet('one', prefix=pulumi.Output.from_input(later))\n"
        + "two = random.RandomPet('two', prefix=one.id)\n"
        + "two.id.apply(later.set_result)\n"
    )
    error = failure(run)
    assert "circular dependency" in error.message
    assert "'one' at __main__.py:5; " in error.message
    assert "'two' at __main__.py:6" in error.message
    assert error.where == "__main__.py:5"


def test_slow_work_is_not_taken_for_a_circle(stack):
    """A timer and a thread are each something that will happen."""
    run = stack.write(
        RANDOM
        + "async def later():\n    await asyncio.sleep(3)\n    return 'slept'\n"
        + "def thread(future, loop):\n    time.sleep(3)\n    loop.call_soon_threadsafe(future.set_result, 'woken')\n"
        + "future, loop = asyncio.Future(), asyncio.get_event_loop()\n"
        + "threading.Thread(target=thread, args=(future, loop)).start()\n"
        + "random.RandomPet('a', prefix=pulumi.Output.from_input(later()))\n"
        + "random.RandomPet('b', prefix=pulumi.Output.from_input(future))\n"
    )
    assert run("preview").summary.by_op == {"create": 2}


def test_a_program_that_hangs_is_ended_with_its_line(project):
    asleep = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    time.sleep(1)\n"
    busy = "random.RandomPet('a')\nif not pulumi.runtime.is_dry_run():\n    while True:\n        pass\n"
    for operation, program, line in (("preview", asleep, 6), ("up", busy, 7)):
        run = project(RANDOM + program)
        error = failure(run, operation, timeout=5)
        assert "hangs" in error.message
        assert "5 s" in error.message
        assert str(error.where).startswith(str(run.root / "__main__.py"))
        assert int(error.where.rsplit(":", 1)[1]) in {line - 1, line, line + 1}
        assert "--timeout" in error.fix
    run = project("import pulumi\npulumi.export('a', 1)\n")
    assert run("up").outputs == {"a": 1}, "the state is whole"


def test_a_slow_operation_of_a_provider_is_not_a_hanging_program(project, tmp_path):
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults:\n  - {action: slow, seconds: 6, type: 'random:*', operation: create}\n")
    run = project(RANDOM + "random.RandomPet('a')\n")
    assert run("up", faults=faults, timeout=4).summary.by_op == {"create": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who a process's children are")
def test_children_that_a_program_leaves_are_ended_and_said(project):
    seconds = f"9870.{os.getpid()}"  # this test's own: another run of it may be under way
    run = project(
        RANDOM
        + f"subprocess.Popen(['sleep', '{seconds}1'])\n"
        + f"subprocess.Popen(['sleep', '{seconds}2'], start_new_session=True)\n"
        + f"if os.fork() == 0:\n    os.setsid()\n    os.execvp('sleep', ['sleep', '{seconds}3'])\n"
        + "pulumi.export('a', 1)\n"
    )
    plan = run("preview")
    assert plan.outputs == {"a": 1}
    assert any("left 3 processes behind" in note and f"sleep {seconds}2" in note for note in plan.notes), plan.notes
    assert not alive(f"sleep {seconds}")


def test_a_gigabyte_of_output_costs_neither_memory_nor_disk(project):
    run = project(
        "import sys\nline = 'y' * 1023 + '\\n'\nfor _ in range(1 << 10):\n    sys.stdout.write(line * 1024)\n"
    )
    before, told = peak_memory(), []
    plan = run("preview", on_event=lambda event: told.append(event.get("diagnosticEvent", {}).get("message", "")))
    assert any("are not shown" in message for message in told)
    assert sum(map(len, told)) < 2 << 20
    assert any("printed 1,073,741,824 bytes" in note and "are not shown" in note for note in plan.notes), plan.notes
    assert peak_memory() - before < 200 << 20
    assert sum(path.stat().st_size for path in run.root.rglob("*") if path.is_file()) < 10 << 20


def peak_memory():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@pytest.mark.parametrize(
    "program",
    [
        "os.close(1)\nos.close(2)\npulumi.export('a', random.RandomPet('a').id.apply(bool))\n",
        (
            "sys.stdout.close()\nsys.stderr.close()\nos.chdir('/')\n"
            "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
            "pulumi.export('a', random.RandomPet('a').id.apply(bool))\nsys.exit(0)\n"
        ),
    ],
    ids=["closed descriptors", "closed streams, another folder, a thread that lives on, sys.exit(0)"],
)
def test_odd_ways_of_running_and_ending_are_no_failure(project, program):
    assert project(RANDOM + program)("up").outputs == {"a": True}


def test_leaving_with_another_code_is_a_failure_at_its_line(stack):
    error = failure(stack.write(RANDOM + "random.RandomPet('a')\nsys.exit(3)\n"))
    assert "sys.exit(3)" in error.message
    assert str(error.where).endswith("__main__.py:5")


def test_a_missing_dependency_is_named_with_its_toolchains_command(project):
    run = project("import pulumi\nimport no_such_sdk.things\n")
    (run.root / "uv.lock").touch()
    error = failure(run)
    assert "'no_such_sdk'" in error.message
    assert str(error.where).endswith("__main__.py:2")
    assert error.fix == f"cd {run.root} && uv add no-such-sdk"


@pytest.mark.parametrize("line", ["import pulumi_random.of_old", "from pulumi_random import of_old"])
def test_a_module_of_another_version_of_an_installed_package_is_named_with_the_version(project, line):
    """As ``insights`` of ``pulumi-azure-native`` 2, which 3 calls otherwise."""
    error = failure(project(f"import pulumi\n{line}\n"))
    assert f"imports 'pulumi_random.of_old', which pulumi-random {version('pulumi-random')} lacks" in error.message
    assert str(error.where).endswith("__main__.py:2")
    assert f"pip install pulumi 'pulumi-random<{version('pulumi-random').split('.')[0]}'" in error.fix


def test_a_name_that_the_programs_own_module_lacks_is_for_the_program_to_mend(project):
    run = project("import pulumi\nfrom parts import of_old\n")
    (run.root / "parts.py").touch()
    assert failure(run).fix == "mend that line"


def test_a_virtual_environment_without_pulumi_is_named(project):
    run = project("import pulumi\n")
    venv.create(run.root / ".venv", symlinks=True)
    (run.root / "requirements.txt").write_text("pulumi\n")
    error = failure(run)
    assert "lacks the Pulumi SDK" in error.message
    assert NO_SDK not in error.message
    assert error.where == str(run.root / ".venv/bin/python")
    assert error.fix == f"{run.root}/.venv/bin/python -m pip install -r {run.root}/requirements.txt"


def test_an_interpreter_that_cannot_be_run_is_named(project):
    run = project("import pulumi\n")
    python = run.root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    (run.root / ".venv/lib").symlink_to(Path(sys.prefix) / "lib")
    python.write_text("#!/no/such/interpreter\n")
    python.chmod(0o755)
    error = failure(run)
    assert error.where == str(python)
    assert "No such file" in error.message


@pytest.mark.parametrize(
    ("name", "content", "said", "line"),
    [
        ("Pulumi.yaml", "name: probe\nruntime:\n\tname: python\n", "not YAML", ":3"),
        ("Pulumi.yaml", "name: probe\nruntime: [python\n", "not YAML", ":3"),
        ("Pulumi.yaml", "- name\n", "mapping", ":1"),
        ("Pulumi.yaml", b"name: \xff\xfe\n", "cannot be read", ""),
        ("Pulumi.yaml", "name: pro\abe\n", "cannot be read", ""),
        ("Pulumi.yaml", "name: probe\nruntime: cobol\n", "cobol", ""),
        ("Pulumi.yaml", "name: probe\nruntime: python\nmain: 3\n", "`main:` is no path", ""),
        ("Pulumi.yaml", "name: probe\nruntime: python\nstackConfigDir: [a]\n", "`stackConfigDir:` is no path", ""),
        ("Pulumi.yaml", "name: probe\nruntime: python\nconfig: {1: {type: string}}\n", "the key 1 of `config:`", ""),
        ("Pulumi.dev.yaml", "config:\n\tsize: 3\n", "not YAML", ":2"),
        ("Pulumi.dev.yaml", "config: [1]\n", "mapping", ""),
        ("Pulumi.dev.yaml", "config: {1: x}\n", "the key 1 of `config:`", ""),
    ],
)
def test_a_file_that_says_nothing_sensible_is_named_with_its_line(project, name, content, said, line):
    run = project("import pulumi\n")
    (run.root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=said) as refused:
        run("preview")
    assert str(refused.value.where).endswith(name + line)
    assert refused.value.fix
    assert len(str(refused.value).splitlines()) < 8


def test_no_project_proposes_what_there_is(tmp_path):
    with pytest.raises(UsageError, match=r"no Pulumi\.yaml") as nothing:
        find_project(tmp_path)
    assert "--cwd" in str(nothing.value.fix)
    (tmp_path / "__main__.py").write_text("import pulumi\n")
    with pytest.raises(UsageError) as program:
        find_project(tmp_path)
    made = subprocess.run(str(program.value.fix), shell=True, cwd=tmp_path, check=True)
    assert made.returncode == 0
    assert find_project(tmp_path).name == tmp_path.name
    (tmp_path / "deep/er").mkdir(parents=True)
    assert find_project(tmp_path / "deep/er").root == tmp_path.resolve()
    elsewhere = tmp_path / "deep"
    (tmp_path / "Pulumi.yaml").rename(elsewhere / "er/Pulumi.yaml")
    with pytest.raises(UsageError) as below:
        find_project(elsewhere)
    assert below.value.fix == "pass the project's folder: --cwd er"
    with pytest.raises(UsageError, match="no such folder"):
        find_project(tmp_path / "nowhere")


def test_a_program_error_is_wrong_use():
    assert ProgramError("x").exit_code == 2


@pytest.mark.parametrize(
    ("options", "said", "where"),
    [
        ({"faults": Path("/no/faults.yaml")}, "--faults names no file", "/no/faults.yaml"),
        ({"references": Path("/no/outputs.yaml")}, "--references names no file", "/no/outputs.yaml"),
        ({"lookups": Path("/no/lookups.yaml")}, "--lookups names no file", "/no/lookups.yaml"),
    ],
)
def test_a_file_that_is_not_there_is_refused_before_anything_starts(project, options, said, where):
    run = project("import pulumi\n")
    with pytest.raises(UsageError, match=said) as refused:
        run("preview", **options)
    assert refused.value.where == where
    assert not (run.root / ".levee").exists()


def test_a_project_without_its_program_or_interpreter_is_refused_before_a_cli_is_sought(project):
    run = project("import pulumi\n", more_yaml="main: infra\n")
    run.cli = None  # it would be sought, and where it is absent be built
    with pytest.raises(UsageError, match="no program") as refused:
        run("preview")
    assert str(refused.value.where).endswith("infra")
    run.write("import pulumi\n")
    (run.root / "Pulumi.yaml").write_text("name: probe\nruntime: {name: python, options: {virtualenv: env}}\n")
    with pytest.raises(UsageError, match="has no Python") as refused:
        run("preview")
    assert str(refused.value.where).endswith("Pulumi.yaml")
    assert "env" in str(refused.value.fix)
    assert not (run.root / ".levee").exists()


def test_an_sdk_that_needs_an_old_setuptools_is_named(stack):
    error = failure(stack.write("import pulumi\nraise ModuleNotFoundError(\"No module named 'pkg_resources'\")\n"))
    assert "setuptools 81" in error.message
    assert error.fix.endswith("pip install pulumi 'setuptools<81'")


def test_an_error_inside_the_sdk_is_placed_at_the_resource_that_it_is_about(stack):
    error = failure(stack.write(RANDOM + "\nrandom.RandomPet('a', prefix=object())\n"))
    assert str(error.where).endswith("__main__.py:5")
