"""The accounts' verbs: keys, people, their passwords, and counted tries to sign in."""

from app.accounts.service.keys import KeyEndsInThePast, WiderThanMaker, create_key, revoke_key
from app.accounts.service.passwords import (
    PasswordNotTaken,
    choose_language,
    renew_hash,
    reset_password,
    set_password,
)
from app.accounts.service.people import (
    LastAdmin,
    LoginTaken,
    WiderThanGiver,
    change_user,
    create_user,
    disable_user,
    enable_user,
    end_sessions,
)
from app.accounts.service.tries import TooManyTries, begin_try, forget_tries, settle_try

__all__ = [
    "KeyEndsInThePast",
    "LastAdmin",
    "LoginTaken",
    "PasswordNotTaken",
    "TooManyTries",
    "WiderThanGiver",
    "WiderThanMaker",
    "begin_try",
    "change_user",
    "choose_language",
    "create_key",
    "create_user",
    "disable_user",
    "enable_user",
    "end_sessions",
    "forget_tries",
    "renew_hash",
    "reset_password",
    "revoke_key",
    "set_password",
    "settle_try",
]
