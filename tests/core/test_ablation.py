"""Laws of an ablation: runs differ by what they say, finished ones are kept, the table tells differences."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from vecnet_core.ablation import SCORES_NAME, WHOLE, AblationConfig, ablate, format_ablation
from vecnet_core.cli import main
from vecnet_core.errors import DataError

SHIPPED = Path(__file__).parents[2] / "resources" / "training" / "ablation.toml"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A tiny study on one photo, with two seeds and two parts left out."""
    photos, tests = tmp_path / "photos", tmp_path / "tests"
    photos.mkdir()
    tests.mkdir()
    coffee = Image.fromarray(data.coffee()).resize((96, 64))
    coffee.save(photos / "coffee.png")
    coffee.save(tests / "001_ref.png")
    Image.fromarray((np.asarray(coffee) * 0.4).astype(np.uint8)).save(tests / "001_under.png")
    (tmp_path / "base.toml").write_text(
        f"""
        train = [{str(photos)!r}]
        validate = [{str(photos)!r}]
        packed = {str(tmp_path / "packed")!r}
        workers = 0
        validation_batches = 1
        leg_minutes = 1e-6
        network = {{ analysis_short_side = 32, widths = [8, 12, 16], depths = [1, 1, 1], token_channels = 16 }}
        synthesis = {{ sizes = [[32, 32]], size_shares = [1.0], windows = 4 }}
        """,
        encoding="utf-8",
    )
    path = tmp_path / "study.toml"
    path.write_text(
        f"""
        base = "base.toml"
        common = {{ steps = 3, decay_steps = 1 }}
        out = {str(tmp_path / "out")!r}
        seeds = [0, 5]
        [variants]
        "without MPA" = {{ network = {{ use_alignment = false }} }}
        "no smoothness, short" = {{ losses = {{ smoothness = 0.0 }}, learning_rate = 1e-4 }}
        """,
        encoding="utf-8",
    )
    return path


def test_runs_differ_from_the_whole_by_what_they_say_alone(study: Path) -> None:
    first, second, without, smooth = AblationConfig.load(study).runs()
    assert (first.name, second.name) == (WHOLE, WHOLE)
    assert (first.config.seed, second.config.seed, without.config.seed) == (0, 5, 0)
    assert not without.config.network.use_alignment
    assert first.config.network.use_alignment
    assert without.config.losses == first.config.losses
    assert (smooth.config.losses.smoothness, smooth.config.learning_rate) == (0.0, 1e-4)
    assert smooth.config.network == first.config.network
    assert {run.config.steps for run in (first, second, without, smooth)} == {3}
    assert {run.config.leg_minutes for run in (first, smooth)} == {0}
    assert len({run.config.out for run in (first, second, without, smooth)}) == 4


def test_a_study_is_trained_scored_and_told_and_goes_on_where_it_was(study: Path, tmp_path: Path, capsys) -> None:
    config = AblationConfig.load(study)
    with pytest.raises(DataError, match="no run of the whole method is finished"):
        format_ablation(config)
    for step in ablate(config, [tmp_path / "tests"]):
        if step.run == 1:
            break
    kept = tmp_path / "out" / "everything_0" / SCORES_NAME
    before = kept.stat().st_mtime_ns
    assert main(["ablate", str(study), "--data", str(tmp_path / "tests")]) == 0
    assert kept.stat().st_mtime_ns == before
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines == (tmp_path / "out" / "table.md").read_text(encoding="utf-8").splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "**everything**",
        "spread of 2 seeds",
        "without MPA",
        "no smoothness, short",
    ]
    scores = {
        name: json.loads((tmp_path / "out" / name / SCORES_NAME).read_text(encoding="utf-8"))["rows"][0]["psnr_db"]
        for name in ("everything_0", "everything_5", "without_mpa")
    }
    mean = (scores["everything_0"] + scores["everything_5"]) / 2
    assert f"| {mean:.2f} |" in lines[2]
    assert f"| {scores['without_mpa'] - mean:+.2f} |" in lines[4]
    assert "`network.use_alignment = false`" in lines[4]


def test_a_run_made_with_other_settings_is_not_told_as_one_of_the_study(study: Path, tmp_path: Path) -> None:
    list(ablate(AblationConfig.load(study), [tmp_path / "tests"]))
    study.write_text(study.read_text(encoding="utf-8").replace("steps = 3", "steps = 4"), encoding="utf-8")
    longer = AblationConfig.load(study)
    with pytest.raises(DataError, match="this run was made with other settings"):
        list(ablate(longer, [tmp_path / "tests"]))
    with pytest.raises(DataError, match="this run was made with other settings"):
        format_ablation(longer)


def test_missing_test_clips_are_told_before_anything_is_trained(study: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is not a folder"):
        next(ablate(AblationConfig.load(study), [tmp_path / "nowhere"]))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("base = 3", "base, out and variants are needed"),
        ("nonsense =", "not valid TOML"),
        ('base="base.toml"\nout="o"\nvariants={}\nlength=2', "unknown: length"),
        ('base="base.toml"\nout="o"\n[variants]\nx={network={use_magic=false}}', "no setting use_magic"),
        ('base="base.toml"\nout="o"\n[variants]\nx={steps={more=1}}', "no setting"),
        (
            'base="base.toml"\nout="o"\n[variants]\n"a b"={seed=1}\n"a-b"={seed=2}',
            "two runs of the study have one name",
        ),
        ('base="base.toml"\nout="o"\n[variants]\n"everything 0"={seed=1}', "two runs of the study have one name"),
        ('base="base.toml"\nout="o"\nvariants=3', "the study does not fit"),
        ('base="base.toml"\nout="o"\nseeds=[]\n[variants]\nx={seed=1}', "the study does not fit"),
        ('base="base.toml"\nout="o"\ncommon=3\n[variants]\nx={seed=1}', "the study does not fit"),
        ('base="none.toml"\nout="o"\nvariants={}', "cannot be read"),
    ],
)
def test_a_wrong_study_is_a_sentence(study: Path, text: str, sentence: str) -> None:
    study.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        AblationConfig.load(study)


def test_the_shipped_study_has_a_row_for_each_part() -> None:
    config = AblationConfig.load(SHIPPED)
    changed = {key for variant in config.variants for key in variant.changes}
    assert {
        f"network.use_{part}" for part in ("alignment", "dual_stream", "synthesis", "token", "curve", "grid")
    } <= changed
    assert {f"losses.{loss}" for loss in ("reflectance", "amplitude", "smoothness", "invariance")} <= changed
    assert {run.config.steps for run in config.runs()} == {1400}
    assert len(config.seeds) >= 3
