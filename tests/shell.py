"""The command line in this process, for tests."""

import json

from typer.testing import CliRunner

from wtflow.cli.app import app


def call(*arguments):
    """The result of a command."""
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)


def last_json(text):
    """The JSON object that --json prints last."""
    return json.loads(text.rstrip("\n").splitlines()[-1])
