// A long, even load: RATE (20) people a second for DURATION (30m), to find growth, leaks and wrong expiry: holds and tokens of the
// first minutes lapse while the last people book. The default catalogue has seats for an hour of it.
//
// A pass means: every check kept, every threshold met, and the last quarter as quick as the first (the report's two thresholds by
// quarter; compare their p95 in the JSON). Watch memory in `usher top` meanwhile.

import exec from 'k6/execution';
import { book, firstUser } from './lib/booking.js';
import { reportOf } from './lib/report.js';
import { DURATION, RATE, USERS, seconds, stepThresholds, summaryTrendStats } from './lib/settings.js';

const duration = DURATION || '30m';
const wholeMilliseconds = seconds(duration) * 1000;

export const options = {
    scenarios: {
        soak: {
            executor: 'constant-arrival-rate',
            rate: RATE || 20,
            timeUnit: '1s',
            duration,
            preAllocatedVUs: USERS || 500,
            gracefulStop: '1m',
        },
    },
    thresholds: {
        http_req_duration: ['p(95)<200', 'p(99)<500'],
        ...stepThresholds,
        'http_req_duration{quarter:1}': ['p(95)<200'],
        'http_req_duration{quarter:4}': ['p(95)<200'],
        dropped_iterations: ['count<1'],
    },
    noConnectionReuse: true,
    summaryTrendStats,
};

export const setup = firstUser;

export default function (firstUserOfRun) {
    const part = (Date.now() - exec.scenario.startTime) / wholeMilliseconds;
    exec.vu.metrics.tags.quarter = String(Math.min(4, 1 + Math.floor(part * 4)));
    book(firstUserOfRun);
}

export const handleSummary = reportOf('soak', 'A pass: every check kept, every threshold met, no slower at the end.');
