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


def _header(allocators, base, control):
    """The columns: figures of the base, figures and both ratios of the first rival of it, and of
    all others the ratios, CPU then memory, as one column."""
    columns = ["CPU s, peak MB"]
    for i, name in enumerate(allocators):
        if name == base:
            columns.append(name)
        elif i == 1 and name != control:
            columns += [name, "%s x CPU" % name, "%s x MB" % name]
        else:
            columns.append("%s x" % name)
    return columns


def _cells(cell, summary, detailed):
    """What stands for one allocator that is not the base in a row."""
    if not summary:
        text = "ERROR" if cell.error else "-"
        return [text, "", ""] if detailed else [text]
    ratios = ["%.2f" % summary.cpu_ratio, "%.2f" % summary.rss_ratio]
    if detailed:
        return ["%.2f, %.1f" % (summary.cpu_s, summary.rss_mb)] + ratios
    return [", ".join(ratios)]


def _mean_cells(mean, detailed):
    if mean.cpu_ratio is None:
        return ["", "-", "-"] if detailed else ["-"]
    ratios = ["%.2f" % mean.cpu_ratio, "%.2f" % mean.rss_ratio]
    return [""] + ratios if detailed else [", ".join(ratios)]


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def render(rows, allocators, base, control):
    """Returns the table in Markdown: rows, geometric means, and a note for each error."""
    header = _header(allocators, base, control)
    detailed = {name: i == 1 and name != control for i, name in enumerate(allocators)}
    others = [name for name in allocators if name != base]
    lines = [_line(header), "|" + "---|" * len(header)]
    for row in rows:
        own = summarize(row.cells[base], row.cells[base])
        cells = [row.name, "%.2f, %.1f" % (own.cpu_s, own.rss_mb) if own else "ERROR"]
        for name in others:
            cells += _cells(row.cells[name], summarize(row.cells[name], row.cells[base]),
                            detailed[name])
        lines.append(_line(cells))
    notes = []
    for label, members in groups_of(rows):
        cells = [label, ""]
        for name in others:
            mean = means(members, name, base)
            cells += _mean_cells(mean, detailed[name])
            if mean.count != mean.total:
                notes.append("%s of %s: over %d of %d rows" % (label, name, mean.count, mean.total))
        lines.append(_line(cells))
    for row in rows:
        notes += ["ERROR: %s with %s: %s" % (row.name, name, row.cells[name].error)
                  for name in allocators if row.cells[name].error]
    return "\n".join(lines + ([""] if notes else []) + notes)


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
