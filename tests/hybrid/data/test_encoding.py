"""A table in an unknown encoding is read right or not at all."""

import pytest

from hybrid.data.encoding import decoded
from hybrid.data.labels import read_labels
from hybrid.data.problems import DatasetError, Problems

JAPANESE = ("患者1,患者2", "ひらがな", "良好,普通,不良", "田中,佐藤,鈴木", "患者Ａ", "検体・患者")
UNSURE = {
    "cp932": ("精子", "カタカナ", "ﾊﾝｶｸ,患者"),
    "cp1252": ("mäßig", "béla", "Anna–Maria", "élève,naïf", "‚Zoë’", "Müller,Æsir,Œuvre"),
    "mac_roman": ("gemäß,größer", "élève", "éèêàç,âäãåé", "Zoë"),
    "cp437": ("élève,Zoë,über", "äöüß"),
    "cp1250": ("Łukasz,Żółć", "Tomáš,Čeněk"),
    "cp1251": ("иванов,Петров", "иванов", "ЖЋЏЉ"),
    "koi8_r": ("иванов,ПЕТРОВ",),
    "cp866": ("иванов,ИВАНОВ",),
    "cp1253": ("Γιώργος,ασθενής",),
    "cp1254": ("İbrahim,Şükrü",),
    "cp1255": ("שלום",),
    "cp1256": ("مريض",),
    "cp874": ("ผู้ป่วย",),
    "gbk": ("精子,患者,一号", "玲玲", "病人甲"),
    "big5": ("患者,林", "病人甲"),
    "euc_kr": ("환자,김",),
    "johab": ("환자,김",),
    "euc_jp": ("患者,ひらがな",),
}


def table(group: str) -> str:
    return f"clip,A,B,group\na.mkv,1,2,{group}\n"


@pytest.mark.parametrize("group", JAPANESE)
def test_a_japanese_excels_file_is_read_and_that_is_said(group):
    problems = Problems("x")
    text, notice = decoded(table(group).encode("cp932"), "labels.csv", problems)
    assert text == table(group)
    assert notice == "labels.csv is not UTF-8; it was read as cp932, as its content shows"


@pytest.mark.parametrize("encoding, group", [(encoding, group) for encoding in UNSURE for group in UNSURE[encoding]])
def test_what_cannot_be_told_is_refused(encoding, group):
    problems = Problems("x")
    assert decoded(table(group).encode(encoding), "labels.csv", problems) is None
    (problem,) = problems.problems
    assert "labels.csv: is not UTF-8" in problem and "CSV UTF-8" in problem


@pytest.mark.parametrize("encoding, clip", [("cp1252", "é.mkv"), ("cp932", "精子.mkv")])
def test_the_files_of_clips_tell_it(make_dataset, encoding, clip):
    root = make_dataset(f"clip,gut,mies\n{clip},1,2\n".encode(encoding), clips=(clip,))
    labels = read_labels(root)
    assert labels.clips == (clip,)
    assert labels.notices == (f"labels.csv is not UTF-8; it was read as {encoding}, as its content shows",)
    (root / "clips" / clip).rename(root / "clips" / "other.mkv")
    with pytest.raises(DatasetError, match="is not UTF-8"):
        read_labels(root)
