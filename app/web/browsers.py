"""What people call their browser, read from its User-Agent: enough to recognize a session by."""

import re

# The first that fits: most browsers also name the ones they want to be taken for.
BROWSERS = (
    (r"MicroMessenger/", "WeChat"), (r"DingTalk", "DingTalk"), (r"Edg(?:A|iOS)?/", "Edge"), (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"), (r"HuaweiBrowser/", "Huawei Browser"), (r"QQBrowser/", "QQ Browser"),
    (r"UCBrowser/", "UC Browser"), (r"Firefox/|FxiOS/", "Firefox"), (r"Chrome/|CriOS/", "Chrome"),
    (r"Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    (r"HarmonyOS|OpenHarmony", "HarmonyOS"), (r"iPhone", "iPhone"), (r"iPad", "iPad"), (r"Android", "Android"),
    (r"Windows", "Windows"), (r"Mac OS X|Macintosh", "macOS"), (r"CrOS", "ChromeOS"), (r"Linux|X11", "Linux"),
)  # fmt: skip


def browser_named(user_agent: str | None) -> str:
    """`Chrome · Android`; empty if neither is known."""
    given = (user_agent or "")[:500]
    found = [next((name for pattern, name in known if re.search(pattern, given)), "") for known in (BROWSERS, SYSTEMS)]
    return " · ".join(one for one in found if one)
