"""What a liaison's buttons say can be typed as well."""

import pytest

from handlers.liaison.callbacks import TaskTap
from handlers.liaison.menu import officer_menu
from handlers.liaison.words import words_of
from handlers.words import plain
from locales.catalogs import Catalogs
from storage.people.who import Who

CATALOGS = Catalogs()
LIAISON = Who(
    account_id=1, channel="web", bot_id=1, chat_id=1, person_id=1, ref="r", name="周",
    language="zh", timezone="Asia/Shanghai", status="away", area_id=None, area_name=None,
    country=None, is_officer=True, is_demo=False,
)  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_button_of_the_menu_can_be_typed(language: str) -> None:
    with CATALOGS.context(), CATALOGS.use_locale(language):
        _, markup = officer_menu(LIAISON)
    for row in markup.inline_keyboard:
        for button in row:
            assert button.callback_data is not None
            if button.callback_data.startswith(f"{TaskTap.__prefix__}:"):
                task = TaskTap.unpack(button.callback_data).task
                assert plain(button.text) in words_of(task), (task, button.text)
