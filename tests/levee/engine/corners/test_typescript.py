"""A TypeScript program on the real Node.js language host, with the SDK of today from npm."""

import json
import os

import pytest

HOST = "github.com/pulumi/pulumi/sdk/v3"
HOST_VERSION = "v3.60.0"
"""The last series whose SDK module holds the Node.js host; today's is a module of its own, not served everywhere."""
PACKAGES = {"@pulumi/pulumi": "3.250.0", "@pulumi/random": "4.18.2", "typescript": "5.9.3", "ts-node": "10.9.2"}
PROGRAM = """
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

class Pair extends pulumi.ComponentResource {
    readonly name: pulumi.Output<string>;
    constructor(name: string, words: number) {
        super("acme:index:Pair", name);
        const pet = new random.RandomPet(`${name}-pet`, { length: words }, { parent: this });
        new random.RandomPassword(`${name}-word`, { length: 20, keepers: { pet: pet.id } }, { parent: this });
        this.name = pet.id;
        this.registerOutputs({ name: this.name });
    }
}

const config = new pulumi.Config();
export const pet = new Pair("pair", config.requireNumber("wordCount")).name;
export const stack = pulumi.getStack();
"""


@pytest.fixture
def host(tmp_path, tool):
    """The environment in which the engine finds the language host."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "go.mod").write_text(f"module host\ngo 1.22\nrequire {HOST} {HOST_VERSION}\n")
    package = f"{HOST}/nodejs/cmd/pulumi-language-nodejs"
    tool(["go", "build", "-mod=mod", "-o", "pulumi-language-nodejs", package], folder, 600)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_typescript_program_lives_and_dies_on_the_stand_ins(project, host, tool):
    run = project("")
    (run.root / "__main__.py").unlink()
    (run.root / "Pulumi.yaml").write_text("name: probe\nruntime: nodejs\n")
    (run.root / "package.json").write_text(json.dumps({"name": "probe", "main": "index.ts", "dependencies": PACKAGES}))
    options = {"strict": True, "module": "commonjs", "target": "es2020", "skipLibCheck": True}
    (run.root / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["index.ts"]}))
    (run.root / "index.ts").write_text(PROGRAM)
    tool(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], run.root, 300)
    preview = run("preview", environment=host, fill_config=True)
    assert {r.name for r in preview.resources} >= {"pair", "pair-pet", "pair-word"}
    assert [f.key for f in preview.filled_config] == ["probe:wordCount"]
    up = run("up", environment=host, fill_config=True)
    assert up.outputs["pet"].count("-") == int(preview.filled_config[0].value) - 1
    assert up.outputs["stack"] == "dev"
    assert not run("refresh", environment=host).changes
    assert not run("preview", environment=host, fill_config=True).changes
    assert run("destroy", environment=host).summary.by_op == {"delete": 3}
