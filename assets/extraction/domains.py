"""The domain of a link or a mail address, whose rows never part between splits."""

import re

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/?#\s@]*@)?([^/?#\s:]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[\d.]+|\[.*|0x[0-9a-f]+", re.IGNORECASE)
# Registries that sell names one level down: co.uk, com.br, ac.jp.
_SECOND_LEVEL = {"ac", "co", "com", "edu", "gob", "gouv", "gov", "ltd", "ne", "net", "or", "org"}


def domain_of(url: str) -> str:
    """Return the registered domain of a URL with or without its scheme; an IP address stays whole.

    `login.bank.co.uk/a?b` gives `bank.co.uk`. Hosting services count as one domain, which keeps
    more rows together than need be and never too few.
    """
    match = _HOST.match(url.strip())
    return registered(match[1]) if match else ""


def registered(host: str) -> str:
    """Return the last two labels of a host, three under a country's second level."""
    host = host.lower().rstrip(".")
    labels = host.split(".")
    if _ADDRESS.fullmatch(host):
        return host
    country = len(labels[-1]) == 2 and len(labels) > 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if country else -2 :])
