"""Helpers with which contents.py describes the panels of the dashboards.

In an expression, {r} stands for the labels of the chosen targets, {s} for those plus the chosen sources, {t} for those
plus the chosen topics. `alerts` are the alerts whose cause a panel shows: the panel gets links to their sections of the
runbook, and they get a link to the panel.
"""


def panel(title, about, *queries, kind="timeseries", unit="short", size=(8, 8), steps=(), alerts=(), stack=False):
    """Returns one panel. `queries` are pairs of an expression and a legend. `steps` are pairs of a colour and the value
    at which it begins; the value of the first pair is ignored."""
    return {
        "title": title,
        "about": about,
        "queries": queries,
        "kind": kind,
        "unit": unit,
        "size": size,
        "steps": steps,
        "alerts": alerts,
        "stack": stack,
    }


def stat(title, about, expr, unit="short", steps=(), alerts=(), width=4):
    """Returns a panel of one large number."""
    return panel(title, about, (expr, ""), kind="stat", unit=unit, size=(width, 4), steps=steps, alerts=alerts)


def state(title, about, *queries, steps, alerts=(), width=12):
    """Returns a panel of states over time, with one line for each query."""
    return panel(title, about, *queries, kind="state-timeline", size=(width, 8), steps=steps, alerts=alerts)


def quantiles(histogram, by, labels, *values):
    """Returns a query for each of `values`, such as 0.99, of the histogram."""
    by_le = ", ".join((*by, "le"))
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    return [
        (f"histogram_quantile({value}, sum by ({by_le}) (rate({histogram}_bucket{{{labels}}}[$__rate_interval])))",
         f"{legend} p{value * 100:g}".strip())
        for value in values
    ]


def rate(metric, labels, by=()):
    """Returns the expression of the rate of a counter."""
    grouped = f"sum by ({', '.join(by)}) " if by else "sum"
    return f"{grouped}(rate({metric}{{{labels}}}[$__rate_interval]))"


def good_warn_bad(warn, bad):
    """Returns steps from green to red."""
    return (("green", 0), ("orange", warn), ("red", bad))


ANY_IS_BAD = (("green", 0), ("red", 1))
NONE_IS_BAD = (("red", 0), ("green", 1))
OK_IS_ONE = (("red", 0), ("green", 1))
