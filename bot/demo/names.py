"""The demo's made-up words: places that are on no map, and people who are in no village."""

from typing import Final, NamedTuple


class Village(NamedTuple):
    code: str
    name: str
    workers: int


class Town(NamedTuple):
    code: str
    name: str
    villages: tuple[Village, ...]


COUNTY: Final = ("demo", "望归县（演示 demo）")
TOWNS: Final = (
    Town(
        "demo-nanlai",
        "南来镇（演示）",
        (
            Village("demo-tianjing", "甜井村（演示）", 22),
            Village("demo-shuxing", "数星村（演示）", 19),
            Village("demo-zhiyuan", "纸鸢村（演示）", 17),
        ),
    ),
    Town(
        "demo-beiwang",
        "北往镇（演示）",
        (
            Village("demo-yinghuo", "萤火村（演示）", 21),
            Village("demo-yaolu", "摇橹村（演示）", 16),
            Village("demo-tingyu", "听雨村（演示）", 20),
        ),
    ),
    Town(
        "demo-changan",
        "常安镇（演示）",
        (
            Village("demo-shaiqiu", "晒秋村（演示）", 18),
            Village("demo-ludi", "芦笛村（演示）", 17),
        ),
    ),
)

WORKER: Final = "林小满"
LIAISONS: Final = ("何秋云", "罗志平")
SUPERVISOR: Final = "沈望舒"

SURNAMES: Final = tuple(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
)
_GIVEN = """
建国 秀英 志强 桂兰 永福 玉梅 春生 丽华 国栋 彩霞
长河 小燕 海波 雪梅 根生 巧云 天明 秋菊 立新 红霞
大勇 月娥 文斌 翠萍 家旺 冬梅 振华 晓芳 金水 美玲
树林 银花 学军 素珍 满仓 燕子 保国 香草 来福 凤仙
"""
GIVEN: Final = tuple(_GIVEN.split())
LATIN: Final = (
    "Chen Yifan",
    "Wu Peng",
    "Zhou Ting",
    "Li Haoran",
    "Xu Jing",
    "Gao Rui",
    "Tang Min",
    "Deng Kai",
    "Xie Lan",
    "Song Bo",
)

# Where they went: gazetteer codes, and how many of a hundred.
PLACES: Final = (
    ("dongguan", 16),
    ("shenzhen", 12),
    ("guangzhou", 8),
    ("foshan", 7),
    ("suzhou", 8),
    ("ningbo", 6),
    ("yiwu", 5),
    ("shanghai", 6),
    ("hangzhou", 5),
    ("quanzhou", 5),
    ("wuhan", 4),
    ("chongqing", 3),
    ("kunming", 3),
    ("urumqi", 2),
    ("beijing", 3),
)
ABROAD: Final = (
    "vientiane",
    "phnompenh",
    "singapore",
    "osaka",
    "dubai",
    "algiers",
    "lusaka",
    "milan",
    "madrid",
    "newyork",
)

NOTES: Final = (
    "电话里说厂里赶货，晚上十点才下班。",
    "换了手机，微信还没装好，下周再联系。",
    "他爱人接的，说人都好。",
    "没人接，过两天再打。",
    "打过去是空号，问问家里。",
)
QUESTION: Final = "请问孩子转学回镇上，户口本要不要原件？"
EARLIER_QUESTION: Final = "新农合在东莞看病能报吗？"
EARLIER_ANSWER: Final = "可以报，先在手机上办个异地备案，办不下来找我。"
