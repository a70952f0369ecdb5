"""The arithmetic and the layout of the benchmark's table. Knows nothing about processes."""

import math
import statistics


class Run:
    """What one run cost."""

    def __init__(self, cpu_s, rss_mb):
        self.cpu_s = cpu_s
        self.rss_mb = rss_mb


class Cell:
    """One allocator on one workload: a list of runs, one for each slice, or an error."""

    def __init__(self, runs=None, error=None):
        self.runs = runs or []
        self.error = error


class Summary:
    """The figures that stand in a cell: medians, and medians of the ratios to the base."""

    def __init__(self, cpu_s, rss_mb, cpu_ratio, rss_ratio):
        self.cpu_s = cpu_s
        self.rss_mb = rss_mb
        self.cpu_ratio = cpu_ratio
        self.rss_ratio = rss_ratio


def summarize(cell, base):
    """Returns the Summary of `cell` against `base`, or None if either has an error.

    The ratio is taken slice by slice, between runs that stood next to each other in time, and only
    then the median: a load on the machine that comes and goes disturbs that much less than it
    disturbs the ratio of two medians.
    """
    if cell.error or base.error or not cell.runs or len(cell.runs) != len(base.runs):
        return None
    pairs = list(zip(cell.runs, base.runs))
    return Summary(
        statistics.median(run.cpu_s for run in cell.runs),
        statistics.median(run.rss_mb for run in cell.runs),
        statistics.median(run.cpu_s / max(other.cpu_s, 1e-6) for run, other in pairs),
        statistics.median(run.rss_mb / max(other.rss_mb, 1e-6) for run, other in pairs))


def geometric_mean(values):
    """Returns the geometric mean of positive numbers, or None of none."""
    values = list(values)
    if not values:
        return None
    return math.exp(sum(math.log(max(value, 1e-9)) for value in values) / len(values))


class Row:
    """One workload: `group` is "workloads" or "programs", `cells` maps allocator to Cell."""

    def __init__(self, name, group, cells):
        self.name = name
        self.group = group
        self.cells = cells


class Mean:
    """Geometric means of one allocator over some rows; `count` of `total` rows had figures."""

    def __init__(self, cpu_ratio, rss_ratio, count, total):
        self.cpu_ratio = cpu_ratio
        self.rss_ratio = rss_ratio
        self.count = count
        self.total = total


def means(rows, allocator, base):
    """Returns the Mean of `allocator` against `base` over `rows`."""
    summaries = [summarize(row.cells[allocator], row.cells[base]) for row in rows]
    good = [summary for summary in summaries if summary]
    return Mean(geometric_mean(summary.cpu_ratio for summary in good),
                geometric_mean(summary.rss_ratio for summary in good), len(good), len(summaries))


def groups_of(rows):
    """Returns [(label, rows)] for the lines of means: each group present, and all if several."""
    result = []
    for group in ("workloads", "programs"):
        members = [row for row in rows if row.group == group]
        if members:
            result.append(("geomean " + group, members))
    if len(result) > 1:
        result.append(("geomean all", rows))
    return result


# Widths: the figures of a full column are "CPU s, ratio, RSS MB, ratio".
_NAME_WIDTH = 18
_RATIO = "%6.2f"
_CPU = "%7.2f"
_RSS = "%8.1f"


def _header(allocators, base, control):
    first = " " * _NAME_WIDTH
    second = "%-*s" % (_NAME_WIDTH, "")
    for name in allocators:
        if name == base:
            columns = "%7s%8s" % ("CPU s", "RSS MB")
        elif name == control:
            columns = "%6s%6s" % ("CPU", "RSS")
        else:
            columns = "%7s%6s%8s%6s" % ("CPU s", "x", "RSS MB", "x")
        first += " |" + name.rjust(len(columns))
        second += " |" + columns
    return [first, second, "-" * len(second)]


def _cell(cell, summary, kind):
    if kind == "base":
        width, text = 15, summary and (_CPU % summary.cpu_s + _RSS % summary.rss_mb)
    elif kind == "control":
        width, text = 12, summary and (_RATIO % summary.cpu_ratio + _RATIO % summary.rss_ratio)
    else:
        width = 27
        text = summary and (_CPU % summary.cpu_s + _RATIO % summary.cpu_ratio
                            + _RSS % summary.rss_mb + _RATIO % summary.rss_ratio)
    return text or ("ERROR" if cell.error else "-").rjust(width)


def _mean_cell(mean, kind):
    if kind == "base":
        return " " * 15
    if mean.cpu_ratio is None:
        return "-".rjust(12 if kind == "control" else 27)
    if kind == "control":
        return _RATIO % mean.cpu_ratio + _RATIO % mean.rss_ratio
    return " " * 7 + _RATIO % mean.cpu_ratio + " " * 8 + _RATIO % mean.rss_ratio


def render(rows, allocators, base, control):
    """Returns the table as text: rows, geometric means, and a note for each error."""
    kinds = {name: "base" if name == base else "control" if name == control else "full"
             for name in allocators}
    lines = _header(allocators, base, control)
    for row in rows:
        line = "%-*s" % (_NAME_WIDTH, row.name)
        for name in allocators:
            cell = row.cells[name]
            line += " |" + _cell(cell, summarize(cell, row.cells[base]), kinds[name])
        lines.append(line)
    lines.append("-" * len(lines[1]))
    notes = []
    for label, members in groups_of(rows):
        line = "%-*s" % (_NAME_WIDTH, label)
        for name in allocators:
            mean = means(members, name, base)
            line += " |" + _mean_cell(mean, kinds[name])
            if mean.count != mean.total:
                notes.append("%s of %s: over %d of %d rows" % (label, name, mean.count, mean.total))
        lines.append(line)
    for row in rows:
        notes += ["ERROR: %s with %s: %s" % (row.name, name, row.cells[name].error)
                  for name in allocators if row.cells[name].error]
    return "\n".join(lines + notes)


def to_json(rows, allocators, base):
    """Returns everything measured, and the figures derived from it, as JSON-able values."""
    def figures(row, name):
        cell = row.cells[name]
        summary = summarize(cell, row.cells[base])
        return {"error": cell.error, "summary": summary and vars(summary),
                "runs": [vars(run) for run in cell.runs]}
    return {
        "base": base,
        "rows": [{"name": row.name, "group": row.group,
                  "allocators": {name: figures(row, name) for name in allocators}}
                 for row in rows],
        "geometric_means": {label: {name: vars(means(members, name, base)) for name in allocators}
                            for label, members in groups_of(rows)},
    }
