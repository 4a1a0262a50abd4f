"""How urgent written words are: what they say of it, and what they name."""

import re
from typing import Final, Literal

from handlers.words import FINE, NEED_HELP, is_label, plain

Urgency = Literal["urgent", "calm", "back"]

_NOT_SO: Final = re.compile(
    r"(?<!能)不(是|怎么|算|那么|特别|用|必|很|太)*(着|紧)?急|没那么(着|紧)?急|没什么急事"
    r"|可以等|能等|等等也行|慢慢来|慢慢说|没有?危险|不危险"
    r"|\b(not|isn't|no|never)( an?| in| so| very| that| too| really| at all)*"
    r" (urgent|emergency|danger|hurry|rush)\b|\bcan wait\b"
)
_UNHARMED: Final = re.compile(
    r"(没有?|无)(人|谁|什么人)?(受伤|出事|流血|着火|被打|被扣|被抓|打人|车祸|失踪|事故)"
    r"|被扣(了|掉|下)*[一二三四五六七八九十百千两\d]*(工资|工钱|钱|分|奖金|块|元|税|社保)"
    r"|\b(nobody|no one|none of us|not|isn't|wasn't|aren't)( is| are| was| were| got)?"
    r" (injured|hurt|wounded|bleeding)\b|\bno (accident|injur\w+|fire|police|violence)\b"
)
_NOW: Final = re.compile(
    r"急|马上|立刻|立即|赶快|赶紧|快来|快点|危险"
    r"|\b(urgent(ly)?|emergency|danger(ous)?|right now|immediately|at once|asap|hurry|quick(ly)?)\b"
)
_DANGER: Final = re.compile(
    r"救命|救我|救人|救救|救护车|急救|抢救|打110|打120|打119|报警|警察"
    r"|出事|事故|车祸|撞车|被撞|撞伤|撞了|撞到|翻车|出工伤|工伤了"
    r"|受伤|重伤|伤到|摔伤|摔断|摔下|骨折|断了(腿|手|胳膊)|(腿|手|胳膊|骨头)断|砸伤|砸到|砸中|烫伤|烧伤"
    r"|触电|中毒|煤气泄漏|溺水|落水|掉水里|坠楼|坠落|被埋|被困|困在|塌了|倒塌|塌方"
    r"|流血|出血|昏倒|晕倒|昏迷|昏过去|不省人事|心脏病|心梗|中风|喘不过气|呼吸困难|没有?呼吸|快不行|要死了"
    r"|着火|起火|失火|火灾|大火|爆炸|地震|洪水|山洪|泥石流"
    r"|被打|打我|挨打|殴打|打起来|家暴|砍|持刀|拿刀|被捅|被抢|抢劫|绑架|被绑"
    r"|被扣|扣押|扣留|扣了我们?的?(护照|证件|身份证)|被抓|抓走|被捕|拘留|被拘|被关|关起来|不让(我们?)?(走|出)|软禁"
    r"|失踪|强奸|性侵|猥亵|性骚扰|威胁我|要杀|杀人|自杀|不想活|想死|跳楼|寻短见|死人|有人死|死了人"
    r"|\b(accident|crash(ed)?|injur\w+|hurt|wounded|bleed\w*|blood|fracture[ds]?|unconscious"
    r"|faint(ed)?|collapsed?|chok(ed|ing)|heart attack|can't breathe|cannot breathe"
    r"|burn(t|ed|ing)|on fire|fire|explosion|exploded|electrocuted|poison(ed|ing)?"
    r"|drown(ed|ing)?|earthquake|flood(ed)?|trapped|ambulance|in (the )?hospital"
    r"|police|arrest(ed)?|detained|jail(ed)?|prison|kidnap\w*|locked (me|us) (in|up)|locked up"
    r"|attack(ed|ing)?|beat(ing|en)?( me| us| him| her| up)|beaten|was hit|hit (me|by)|stab\w*|gun"
    r"|knife|robbed|robbery|rape[ds]?|assault\w*|violen\w+|threaten\w*|kill(ed|ing)?"
    r"|suicid\w+|dying|dead|overdose|missing person|took my passport|save me|help me|sos|mayday)\b"
    r"|\bbroke(n)?\b.{0,12}\b(leg|arm|back|bone|hand|foot|neck|rib|head)s?\b"
    r"|\b(leg|arm|back|bone|hand|foot|neck|rib|head)s? (is |are |was )?broken\b"
)
_ONLY_NOW: Final = frozenset({"现在", "快", "now", "yes, now", "urgent, now"})
_FILLING: Final = re.compile(
    r"很|非常|特别|十分|十万火|挺|真的|太|紧|着|的|了|啊|呀|呢|吧|事情?|是|就|我|这|要|有|等|回话"
    r"|\b(very|it's|its|it|is|so|really|please|yes|this|that|an?|extremely|i'm|in|but|there|for)\b"
    r"|[\W_]"
)
_SAYS_NOTHING: Final = NEED_HELP - {"救命"} | {
    *("1", "2", "3", "4", "ok", "okay", "yes", "good", "well"),
    *("好", "好的", "嗯", "是", "是的", "👍", "👌", "🙏"),
}
ALL_WELL: Final = FINE - _SAYS_NOTHING | {"没事了", "我没事了", "不用了", "i'm fine after all"}
"""What takes a call for help back. A nod is no answer to the question how urgent it is."""


def how_urgent(text: str) -> Urgency | None:
    """What written words answer to the question how urgent it is; ``None``: that they don't.

    Words that name an accident, an injury, violence and the like are urgent, whatever else.
    """
    said = plain(text)
    if is_label(text, "I'm fine after all") or said in ALL_WELL:
        return "back"
    if is_label(text, "It can wait for an answer"):
        return "calm"
    if is_label(text, "Urgent, now") or said in _ONLY_NOW or names_danger(text):
        return "urgent"
    rest = _NOT_SO.sub(" ", said)
    calm = rest != said
    if _NOW.search(rest):
        return None if calm else "urgent"
    return "calm" if calm else None


def names_danger(text: str) -> bool:
    """Whether the words name what cannot wait."""
    return _DANGER.search(_UNHARMED.sub(" ", plain(text))) is not None


def says_nothing(text: str) -> bool:
    """Whether nothing is said about what the help is needed for, but only that, or how soon."""
    said = plain(text)
    if said in _SAYS_NOTHING or said in _ONLY_NOW or is_label(text, "Urgent, now"):
        return True
    if is_label(text, "It can wait for an answer"):
        return True
    return not names_danger(said) and not _FILLING.sub("", _NOW.sub(" ", _NOT_SO.sub(" ", said)))
