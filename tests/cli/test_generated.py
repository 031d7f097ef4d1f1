"""Every setting has an option, made of its field: name, default, bounds, choices and help."""

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel, Field
from typer.main import get_command

from cli.commands import command as add_command
from cli.generated import Given, SettingsOf
from cli.hmnet import app as hmnet_app
from cli.options import CONFIG, read_settings, settings
from cli.relevance import app as relevance_app
from hmnet.settings.addition import CHANGEABLE, Addition
from hmnet.settings.config import OF_A_STUDY
from relevance.choice import Choice, InHelp

CLASSES = [
    ("hmnet", "train", CONFIG, None),
    ("relevance", "pairwise", CONFIG, OF_A_STUDY),
    ("relevance", "pairwise", "relevance.gains.protocol:GainSettings", None),
    ("relevance", "pairwise", "relevance.jobs.resources:Resources", None),
    ("relevance", "estimate", CONFIG, OF_A_STUDY),
    ("hmnet", "sweep", CONFIG, OF_A_STUDY),
    ("hmnet", "add-task", "hmnet.settings.addition:Addition", None),
    ("hmnet", "add-task", CONFIG, CHANGEABLE),
]
ENDS = {"ge": "min", "gt": "min", "le": "max", "lt": "max"}


def options_of(app: typer.Typer, name: str) -> dict[str, Any]:
    """The options of a command, by the names of what they are for."""
    group: Any = get_command(app)
    return {each.name: each for each in group.commands[name].params}


def choices_of(field: Any) -> tuple[str, ...]:
    """The values that a field allows; none for any."""
    for each in (field.annotation, *get_args(field.annotation)):
        if get_origin(each) is Literal:
            return get_args(each)
    return next((each.choices for each in field.metadata if isinstance(each, InHelp)), ())


@pytest.mark.parametrize(("app", "command", "model", "names"), CLASSES)
def test_every_setting_has_an_option_that_says_what_the_field_says(
    app: str, command: str, model: str, names: frozenset[str] | None
) -> None:
    options = options_of({"relevance": relevance_app, "hmnet": hmnet_app}[app], command)
    fields = SettingsOf(model).fields()
    assert {*fields} >= (names or {*fields})
    for name in names or fields:
        field, found = fields[name], options[name]
        assert found.opts == [f"--{name.replace('_', '-')}"]
        assert found.default is None, name  # so that a file or a method can say otherwise
        bounds = {
            end: getattr(each, key)
            for each in field.metadata
            for key, end in ENDS.items()
            if hasattr(each, key)
        }
        assert (found.min, found.max) == (bounds.get("min"), bounds.get("max")), name
        if choices := choices_of(field):
            assert {*get_args(found.type_descriptor.annotation)} == {*choices}, name
        first = (field.description or "").partition("`")[0]
        assert first, name
        assert found.help.startswith(first[0].upper() + first[1:]), name
        in_words = next((e.default for e in field.metadata if isinstance(e, InHelp)), None)
        if in_words is None and not field.is_required():
            default = field.default_factory or field.default
            assert {"yes": "True", "no": "False"}.get(found.show_default, found.show_default) in {
                str(default),
                str(default).removesuffix(".0"),
                str(default).replace("e-0", "e-"),
            }, name


def test_what_a_run_has_settled_is_no_option_of_an_addition() -> None:
    own = set(options_of(hmnet_app, "add-task")) - set(Addition.model_fields)
    assert own == {*CHANGEABLE, "folder", "out", "resume", "config", "quiet"}


def test_defaults_of_a_method_are_told_where_one_is_chosen() -> None:
    assert options_of(hmnet_app, "train")["max_length"].help.endswith(". With camtl it is 128.")
    assert "camtl" not in options_of(relevance_app, "pairwise")["max_length"].help


class Oven(BaseModel):
    """Settings that only this test has."""

    heat: int = Field(200, ge=50, le=250, description="degrees; more with `fan`")
    fan: bool = Field(False, description="blow hot air about")
    racks: Annotated[tuple[str, ...], InHelp("TOP,LOW")] = Field(description="which are used")


def test_a_new_field_needs_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.generated.resolve_name", {"kitchen:Oven": Oven}.get)
    app, baked = typer.Typer(add_completion=False), SimpleNamespace()

    @add_command(app)
    def bake(oven: Annotated[Given, SettingsOf("kitchen:Oven")]) -> None:
        """Bake."""
        baked.oven = oven

    bake_command = get_command(app)
    heat, fan, racks, _quiet = bake_command.params
    assert (heat.min, heat.max, heat.show_default) == (50, 250, "200")
    assert heat.help == "Degrees; more with --fan."
    assert (fan.opts, fan.secondary_opts, fan.show_default) == (["--fan"], ["--no-fan"], "no")
    assert (racks.required, racks.multiple, racks.metavar) == (True, True, "TOP,LOW")
    bake_command.main(["--racks", "TOP, LOW", "--no-fan"], standalone_mode=False)
    assert baked.oven == {"racks": ["TOP", "LOW"], "fan": False}


def test_a_file_gives_values_and_no_text_of_them(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('sampler = "temperature:cap=9"\nmax-train = 5\nseeds = [1, 2]\nhead = "linear"')
    chosen = read_settings(file)
    assert isinstance(chosen["sampler"], Choice)
    assert set(chosen) == {"sampler", "max_train", "seeds", "head"}
    both = settings({"max_train": 7, "seed": 3}, config=file)
    assert (both["max_train"], both["seed"]) == (7, 3)
    assert "seeds" not in both
