"""What nothing here is ever about: see “What is stored, and what never will be” in the README.

Who chose a topic, and what somebody answered, is kept. So a topic or a question about one of these
would put into the record what this software promises to keep out of it. Words are looked at, not
meanings: docs/rules.md says which innocent ones are refused with them, and what to write instead.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

_BIRTHS: Final = "pregnancy, contraception or births"
_FINES: Final = "fines or penalties"
_INFORMERS: Final = "informers"
_BIOMETRICS: Final = "biometrics"

# In Chinese words run together: what stands in brackets keeps out those that only look alike, such
# as 生产检查 (inspecting production), 主流产品, 花生育苗, 检查环境, 公告发布, 到处分发, 上月经过.
_CHINESE: Final = (
    (
        _BIRTHS,
        r"孕(?!育)|怀孕|懷孕|怀上|妊娠|怀胎|懷胎|[一二两三四头]胎|胎儿|胎兒|堕胎|墮胎|人工流產|"
        r"(?<!主)流产(?![品量])|(?<![生水农资房财特投])产检|產檢|产前(?=检查|筛查|诊断)|"
        r"产后(?=访视|康复|检查|恢复)|(?<!生)产假|產假|产妇|產婦|预产期|預產期|分娩|新生儿|新生兒|"
        r"坐月子|生育(?![苗种秧肥])|计生(?!产)|計生|超生(?!产)|准生(?!产)|[二三]孩(?!子)|"
        r"独生子女|獨生子女|社会抚养费|节育|節育|绝育|絕育|结扎|結紮|安全套(?!装)|妇检|婦檢|"
        r"[查取]环(?![保境节])|月经(?![过济营常由历理手办])|出生(?:登记|登記|人口|情况|报告|率)|"
        r"生孩子|生小孩|生娃|添丁",
    ),
    (_FINES, r"[罚罰](?![球酒])|(?<![此各到好用])处分(?![为开发别成布])|處分|惩处|懲處|惩戒|懲戒"),
    (
        _INFORMERS,
        r"举报|舉報|检举|檢舉|揭发|揭發|告密|(?<![公报广通])告发(?![布放出送])|告發|"
        r"(?<![一在沿热干])线人(?![员工口数])|線人|眼线|眼線|打小报告|打小報告",
    ),
    (
        _BIOMETRICS,
        r"指纹|指紋|掌纹|掌紋|声纹|聲紋|虹膜|人脸|人臉|刷脸|刷臉|[面脸臉]部(?:识别|識別)|"
        r"生物(?:识别|識別|特征|特徵)",
    ),
)
_ENGLISH: Final = (
    (
        _BIRTHS,
        r"pregnan\w*|antenatal|prenatal|postnatal|maternity|obstetric\w*|contracepti\w*|condoms?|"
        r"birth[ -]control|family[ -]planning|sterili[sz]ations?|abortions?|miscarriages?|iuds?|"
        r"vasectom\w*|menstru\w*|childbirths?|new-?borns?|(?:child|baby) (?:was |is )?born|"
        r"(?<!date of )(?<!place of )(?<!year of )births?(?! certificates?)",
    ),
    # Not the fine of “are you fine?”: what is paid has an article or a payer before it.
    (
        _FINES,
        r"fines|fined|penalt(?:y|ies)|penali[sz]\w*|punish\w*|disciplinary|"
        r"(?:pay|pays|paid|paying|traffic|parking|speeding|overdue|unpaid) (?:a |the |your )?"
        r"fine|fine payments?|(?:a|an|the|any|your) fine"
        r"(?=\s*(?:[.,;:!?)]|$)| (?:for|of|must|is|was|to|by|if) )",
    ),
    (_INFORMERS, r"informers?|informants?|inform on|whistle-?blow\w*|denounc\w*|snitch\w*"),
    (
        _BIOMETRICS,
        r"biometr\w*|finger-?prints?|(?:face|facial) (?:recognition|scans?|id)|iris scans?|"
        r"voice-?prints?|palm-?prints?|dna",
    ),
)
# What a name or a code says, it says of everyone who chose it; a text may name a paper to bring.
_NAMED: Final = (
    (_BIRTHS, r"出生|births?"),
    (_FINES, r"^(?:\w+ )?(?<!is )(?<!are )(?<!all )(?<!you )(?<!doing )(?<!feel )fine$"),
)
_PINYIN: Final = (
    (_BIRTHS, r"huaiyun|yunjian|beiyun|biyun|jihua ?shengyu|jisheng|erhai|sanhai"),
    (_FINES, r"fakuan|fajin"),
    (_INFORMERS, r"jubao|gaomi"),
    (_BIOMETRICS, r"zhiwen|renlian|shualian"),
)


def _patterns(
    *groups: tuple[tuple[str, str], ...], whole: bool
) -> tuple[tuple[str, re.Pattern[str]], ...]:
    edge = r"(?<![a-z])(?:{})(?![a-z])" if whole else "(?:{})"
    return tuple(
        (what, re.compile(edge.format(words))) for group in groups for what, words in group
    )


_TEXTS: Final = (*_patterns(_CHINESE, whole=False), *_patterns(_ENGLISH, whole=True))
_NAMES: Final = (*_TEXTS, *_patterns(_NAMED, whole=True))
_CODES: Final = (*_NAMES, *_patterns(_PINYIN, whole=True))


def check_code(field: str, code: str) -> Iterator[tuple[str, str]]:
    """The field and the reason, if a code or the name of a date is about one of these."""
    yield from _check(field, code.replace("-", " "), _CODES)


def check_names(field: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The same of what stands on a button, in each language."""
    for language, name in names.items():
        yield from _check(f"{field}.{language}", name, _NAMES)


def check_words(field: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The same of a question's or a reminder's words, in each language."""
    for language, text in texts.items():
        yield from _check(f"{field}.{language}", text, _TEXTS)


def _check(
    field: str, text: str, patterns: tuple[tuple[str, re.Pattern[str]], ...]
) -> Iterator[tuple[str, str]]:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    for what, pattern in patterns:
        if found := pattern.search(plain):
            yield (
                field,
                f"“{found[0]}” is about {what}: nothing is ever kept or asked about that here, "
                "neither who chose it nor what they say.",
            )
            return
