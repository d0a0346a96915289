// The settings of all scenarios from the environment, and their common options.

const env = (name, otherwise) => (__ENV[name] === undefined || __ENV[name] === '' ? otherwise : __ENV[name]);

// An address, not `localhost`: many machines resolve that name to ::1 first, and a refused try would be measured too.
export const BASE_URL = env('BASE_URL', 'http://127.0.0.1:8080');
export const RESULTS = env('RESULTS', 'k6/results'); // the folder of reports
export const REPORT = env('REPORT', ''); // the name of this run's; otherwise the scenario's

export const USERS = Number(env('USERS', '0')); // 0: as the scenario says
export const RAMP = env('RAMP', ''); // the time in which all USERS arrive
export const HOLD = env('HOLD', '10s'); // how long they stay after RAMP
export const RATE = Number(env('RATE', '0')); // bookings begun a second, in the open models
export const DURATION = env('DURATION', '');

export const SPREAD = Number(env('SPREAD', '1')); // seconds over which people started at once arrive
export const THINK = Number(env('THINK', '0')); // mean seconds that a person looks at an answer before the next step

// The catalogue that the server was started with: its default.
export const CONCERTS = Number(env('CONCERTS', '8'));
export const SCHEDULES = Number(env('SCHEDULES', '240')); // of each concert
export const ADMISSIONS_PER_SECOND = Number(env('ADMISSIONS_PER_SECOND', '50')); // of each concert

// `nginx` when the same load goes to a server that only answers `return 200` (see pace.js).
export const YARDSTICK = env('YARDSTICK', '');
export const PAUSE = Number(env('PAUSE', '1')); // then: mean seconds between two polls, as measured in the real run

export const STEPS = [
    'checkConcertSchedules',
    'issueWaitingToken',
    'checkQueueInfo',
    'reserveSeats',
    'chargePoint',
    'payment',
];

// Percentiles that the report prints; k6 leaves out p(99) and count unless asked.
export const summaryTrendStats = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'count'];

// The thresholds of the original load test, by step; those of the whole are in each scenario.
export const stepThresholds = {
    'http_req_duration{name:checkConcertSchedules}': ['p(95)<200', 'p(99)<400'],
    'http_req_duration{name:issueWaitingToken}': ['p(95)<200', 'p(99)<400'],
    'http_req_duration{name:checkQueueInfo}': ['p(95)<200', 'p(99)<400'],
    'http_req_duration{name:reserveSeats}': ['p(95)<200', 'p(99)<400'],
    'http_req_duration{name:chargePoint}': ['p(95)<200', 'p(99)<400'],
    'http_req_duration{name:payment}': ['p(95)<200', 'p(99)<700'],
};

// Seconds in a k6 duration such as `90s`, `1m30s` or `2h`.
export function seconds(duration) {
    const unit = { h: 3600, m: 60, s: 1, ms: 0.001 };
    return [...duration.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce((sum, [, n, u]) => sum + Number(n) * unit[u], 0);
}
