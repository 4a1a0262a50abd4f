"""aiogram's models, built when first used, are the models aiogram builds."""

import subprocess
import sys

PROGRAM = """
import sys
from bot.lean import import_aiogram

import_aiogram()
import aiogram.methods, aiogram.types
from pydantic import BaseModel

models = {
    model
    for module in (aiogram.types, aiogram.methods)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
}
assert not any(model.__pydantic_complete__ for model in models - {BaseModel}), "built too early"
update = aiogram.types.Update.model_validate(
    {"update_id": 1, "message": {"message_id": 2, "date": 0, "text": "平安",
     "chat": {"id": 3, "type": "private"},
     "from": {"id": 3, "is_bot": False, "first_name": "Fang"}}}
)
assert update.message.from_user.first_name == "Fang"
for model in models:
    model.__pydantic_validator__.title
    assert model.__pydantic_complete__, model
print(len(models))
"""


def test_every_model_can_be_built_when_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 500
