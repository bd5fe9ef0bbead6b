"""The Data Docs page of one validation, as Great Expectations renders it, in one safe file.

Its template fetches styles, scripts and a logo from seven hosts at every visit. They are taken out
and a small style sheet is put in: the page needs no network, and nobody learns who looks at it.
It shows values of the data unescaped, and the data may be a phishing mail: values are escaped here,
and a policy forbids the page to run or load anything.
"""

import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

_NEEDS_NETWORK = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*https?:[^>]*>|<img\b[^>]*https?:[^>]*>"
    r"|<nav class=\"navbar.*?</nav>\s*</div>\s*</nav>|<footer\b.*?</footer>",
    re.DOTALL,
)
_REMOTE_URL = re.compile(r"url\(['\"]?https?:[^)]*\)")
_LINK_TO_OTHER_PAGES = re.compile(r"<a href=\"\.\./[^>]*>(.*?)</a>", re.DOTALL)
_HEAD = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { border-bottom: 1px solid #dee2e6; padding: .4rem .6rem; }
th, td { text-align: left; vertical-align: top; }
.alert { background: #f1f3f5; padding: .5rem .8rem; border-radius: 6px; margin-top: 1.5rem; }
.alert h5, h6 { margin: 0; font-size: 1.05rem; }
.row { display: block; }
.sticky, .card, .cooltip .top, [data-toggle="collapse"] { display: none; }
.badge { background: #e7f5ff; border-radius: 4px; padding: 0 .3rem; }
.fas { font-style: normal; font-weight: bold; }
.fa-check-circle::before { content: "\\2713"; color: #2b8a3e; }
.fa-times::before { content: "\\2717"; color: #c92a2a; }
.fa-exclamation-triangle::before { content: "\\26A0"; color: #e67700; }
</style>
"""


def page(result: "ExpectationSuiteValidationResult") -> str:
    """Return the validation's Data Docs page as HTML; escapes the values inside `result`."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    for found in result.results:
        found.result = _escaped(found.result)
        found.exception_info = _escaped(found.exception_info)
    html = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    html = _NEEDS_NETWORK.sub("", html)
    html = _LINK_TO_OTHER_PAGES.sub(r"\1", _REMOTE_URL.sub("none", html))
    return html.replace("<head>", f"<head>{_HEAD}", 1)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    return [_escaped(inner) for inner in value] if isinstance(value, list) else value
