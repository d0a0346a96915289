// The end of a run: a report to read, on the screen and in RESULTS/REPORT.txt, and all of k6's numbers in .json.

import { REPORT, RESULTS, STEPS, YARDSTICK } from './settings.js';

// A handleSummary for the scenario `name`; `passMeans` is its header in a sentence.
export function reportOf(name, passMeans) {
    const file = `${RESULTS}/${REPORT || name}`;
    return (data) => {
        const text = textOf(name, passMeans, data);
        return { stdout: text, [`${file}.txt`]: text, [`${file}.json`]: JSON.stringify(data, null, 2) };
    };
}

function textOf(name, passMeans, { metrics, root_group: root, state }) {
    const value = (metric, key, otherwise = 0) => (metrics[metric] ? metrics[metric].values[key] : otherwise);
    const lines = [
        '',
        `${name}${YARDSTICK ? ` against ${YARDSTICK}` : ''}: ${(state.testRunDurationMs / 1000).toFixed(1)} s, `
            + `up to ${value('vus_max', 'max')} users at once. ${passMeans}`,
        '',
        row('step', 'requests', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'),
        ...STEPS.map((step) => rowOf(step, metrics[`http_req_duration{name:${step}}`])),
        rowOf('all', metrics.http_req_duration),
        '',
        `requests   ${value('http_reqs', 'count')}, ${value('http_reqs', 'rate').toFixed(0)} a second, `
            + `${value('http_req_failed', 'passes')} failed`,
        `users      ${value('users_begun', 'count')} came, ${value('users_served', 'count')} were served, `
            + `${value('dropped_iterations', 'count')} found no free k6 user`,
        `seats      ${value('seats_sold', 'count')} sold, `
            + `${value('seat_conflicts', 'count')} attempts lost to a faster user`,
        `line       p50 ${(value('time_in_line', 'med') / 1000).toFixed(1)} s, `
            + `p95 ${(value('time_in_line', 'p(95)') / 1000).toFixed(1)} s`,
        `checks     ${value('checks', 'passes')} kept, ${value('checks', 'fails')} broken`,
        ...brokenChecks(root).map((each) => `  BROKEN   ${each.name}: ${each.fails} of ${each.fails + each.passes}`),
        '',
        'thresholds',
        ...thresholdsOf(metrics),
        '',
        '',
    ];
    return lines.join('\n');
}

function row(first, ...others) {
    return `  ${first.padEnd(24)}${others.map((each) => String(each).padStart(10)).join('')}`;
}

function rowOf(step, metric) {
    if (!metric || !metric.values.count) return row(step, 0, '-', '-', '-', '-');
    const { count, med, max, 'p(95)': p95, 'p(99)': p99 } = metric.values;
    return row(step, count, ...[med, p95, p99, max].map((each) => each.toFixed(1)));
}

function brokenChecks(group) {
    return [...group.checks.filter((each) => each.fails > 0), ...group.groups.flatMap(brokenChecks)];
}

function thresholdsOf(metrics) {
    return Object.entries(metrics).sort().flatMap(([metric, { thresholds = {} }]) =>
        Object.entries(thresholds).map(([limit, { ok }]) => `  ${ok ? 'met    ' : 'CROSSED'}  ${metric}  ${limit}`));
}
