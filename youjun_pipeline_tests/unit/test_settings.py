import datetime as dt
from pathlib import Path

import pytest

from youjun_pipeline import settings as module
from youjun_pipeline.settings import Lake, Settings, SettingsError, Shard, day_in_china


def refused(env: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(env)
    return str(caught.value)


def test_everything_follows_the_data_folder(tmp_path: Path) -> None:
    settings = Settings.from_environment({"YOUJUN_DATA": str(tmp_path)})
    assert settings.data == tmp_path.resolve()
    assert settings.warehouse == tmp_path.resolve() / ".work" / "warehouse.duckdb"
    assert settings.published == tmp_path.resolve() / "published"
    assert not settings.warehouse.parent.exists() and not settings.published.exists()


def test_memory_is_an_amount(tmp_path: Path) -> None:
    env = {"YOUJUN_DATA": str(tmp_path)}
    assert Settings.from_environment(env).memory == ""
    assert Settings.from_environment(env | {"YOUJUN_MEMORY": "3gb"}).memory == "3GB"
    for text in ("3", "80%", "0GB", "3TB'; drop"):
        assert "YOUJUN_MEMORY" in refused(env | {"YOUJUN_MEMORY": text})


def test_csv_is_written_only_where_it_is_asked_for(tmp_path: Path) -> None:
    env = {"YOUJUN_DATA": str(tmp_path)}
    assert not Settings.from_environment(env).csv
    assert Settings.from_environment(env | {"YOUJUN_CSV": "on"}).csv
    assert "YOUJUN_CSV=yes" in refused(env | {"YOUJUN_CSV": "yes"})


def test_each_variable_overrides_its_default(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = Settings.from_environment(
        {
            "YOUJUN_DATA": f" {tmp_path / 'data'} ",
            "YOUJUN_WAREHOUSE": str(tmp_path / "w.duckdb"),
            "YOUJUN_PUBLISHED": str(tmp_path / "out"),
            "YOUJUN_AS_OF": "2024-06-30",
        }
    )
    assert settings == Settings(
        (tmp_path / "data").resolve(),
        (tmp_path / "w.duckdb").resolve(),
        (tmp_path / "out").resolve(),
        dt.date(2024, 6, 30),
    )


def test_default_data_is_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "youjun_pipeline")
    assert Settings.from_environment({}).data == tmp_path / "data"


def test_default_data_of_an_installed_package_is_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "site-packages" / "youjun_pipeline")
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({"YOUJUN_DATA": "  "}).data == (tmp_path / "data").resolve()


def test_relative_paths_count_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "districts").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({"YOUJUN_DATA": "districts"}).data == (tmp_path / "districts").resolve()


def test_today_is_the_day_in_china(tmp_path: Path) -> None:
    assert day_in_china(dt.datetime(2024, 6, 29, 15, 59, tzinfo=dt.UTC)) == dt.date(2024, 6, 29)
    assert day_in_china(dt.datetime(2024, 6, 29, 16, 0, tzinfo=dt.UTC)) == dt.date(2024, 6, 30)
    before = day_in_china(dt.datetime.now(dt.UTC))
    as_of = Settings.from_environment({"YOUJUN_DATA": str(tmp_path), "YOUJUN_AS_OF": " "}).as_of
    assert before <= as_of <= day_in_china(dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("text", ["2024-6-30", "20240630", "2024-02-30", "2024-W26-7", "明天"])
def test_a_bad_date_is_named_in_both_languages(tmp_path: Path, text: str) -> None:
    message = refused({"YOUJUN_DATA": str(tmp_path), "YOUJUN_AS_OF": text})
    assert (
        message == f"YOUJUN_AS_OF={text}：不是日期，请写作 2024-06-30 / not a date, write it like 2024-06-30"
    )


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    message = refused({"YOUJUN_DATA": str(tmp_path / "gone"), "YOUJUN_AS_OF": "soon"})
    assert message.splitlines() == [
        f"YOUJUN_DATA={tmp_path / 'gone'}：文件夹不存在，请先建立 / no such folder, create it first",
        "YOUJUN_AS_OF=soon：不是日期，请写作 2024-06-30 / not a date, write it like 2024-06-30",
    ]


def test_places_that_would_destroy_each_other_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = tmp_path / "file"
    file.touch()
    for variable, value, reason in [
        ("YOUJUN_PUBLISHED", data, "包含数据文件夹"),
        ("YOUJUN_PUBLISHED", tmp_path, "包含数据文件夹"),
        ("YOUJUN_PUBLISHED", file, "是文件，应为文件夹"),
        ("YOUJUN_WAREHOUSE", data / "published" / "youjun.duckdb", "在发布文件夹里面"),
        ("YOUJUN_WAREHOUSE", tmp_path, "是文件夹，应为数据库文件"),
    ]:
        message = refused({"YOUJUN_DATA": str(data), variable: str(value)})
        assert message.startswith(f"{variable}={value}：{reason}"), message
        assert " / " in message


def test_a_lake_needs_a_catalogue_and_a_place_for_its_files(tmp_path: Path) -> None:
    env = {"YOUJUN_DATA": str(tmp_path), "YOUJUN_LAKE": "ducklake:postgres:dbname=lake password=secret"}
    said = refused(env)
    assert "YOUJUN_LAKE_DATA" in said and "secret" not in said
    said = refused(env | {"YOUJUN_LAKE": "postgres:password=secret", "YOUJUN_LAKE_DATA": "s3://bucket"})
    assert "YOUJUN_LAKE" in said and "secret" not in said
    assert "YOUJUN_LAKE_PUBLISH=all" in refused(
        env | {"YOUJUN_LAKE_DATA": "s3://bucket", "YOUJUN_LAKE_PUBLISH": "all"}
    )
    settings = Settings.from_environment(env | {"YOUJUN_LAKE_DATA": "s3://bucket/youjun"})
    assert settings.lake == Lake("postgres:dbname=lake password=secret", "s3://bucket/youjun/")
    assert "secret" not in repr(settings)
    folder = Settings.from_environment(env | {"YOUJUN_LAKE_DATA": str(tmp_path / "lake")}).lake
    assert folder and folder.data == f"{tmp_path.resolve()}/lake/"


def test_a_shard_has_places_of_its_own(tmp_path: Path) -> None:
    env = {"YOUJUN_DATA": str(tmp_path), "YOUJUN_SHARD": "3/16"}
    assert "YOUJUN_LAKE" in refused(env)
    lake = {"YOUJUN_LAKE": "ducklake:lake.ducklake", "YOUJUN_LAKE_DATA": str(tmp_path / "lake")}
    settings = Settings.from_environment(env | lake)
    assert settings.shard == Shard(3, 16)
    assert settings.warehouse == tmp_path.resolve() / ".work" / "shards" / "3-of-16" / "warehouse.duckdb"
    assert settings.published == settings.warehouse.parent / "published"
    for wrong in ("0/16", "17/16", "3", "3/x"):
        assert f"YOUJUN_SHARD={wrong}" in refused(env | lake | {"YOUJUN_SHARD": wrong})


def test_every_district_is_of_one_shard() -> None:
    codes = [f"{number:06}" for number in range(110100, 113100)]
    shares = [[c for c in codes if Shard(number, 16).takes(c)] for number in range(1, 17)]
    assert sorted(code for share in shares for code in share) == codes
    assert all(120 < len(share) < 260 for share in shares)
    # which shard has a district is written in lakes: it may not change with a version
    assert [n for n in range(1, 17) if Shard(n, 16).takes("120114")] == [13]
