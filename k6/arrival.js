// An open model: people arrive at a rate that climbs in three steps to RATE (300 a second), however slow the answers are. A closed
// model such as the seed's puts less load on a server the slower it gets, which hides its worst moments.
//
// A pass means: at each rate people are served as fast as they arrive (no iteration dropped for want of a free k6 user, no line below
// the admission rate of 8 × 50 a second), with every check kept and every threshold met. RATE above 400 makes lines grow for as
// long as it lasts; that is no failure, but needs USERS=20000 or so to stand in them.

import { book, firstUser } from './lib/booking.js';
import { reportOf } from './lib/report.js';
import { DURATION, RATE, USERS, stepThresholds, summaryTrendStats } from './lib/settings.js';

const rate = RATE || 300;
const each = DURATION || '20s'; // of each of the three steps

export const options = {
    scenarios: {
        arrival: {
            executor: 'ramping-arrival-rate',
            startRate: Math.ceil(rate / 10),
            timeUnit: '1s',
            preAllocatedVUs: USERS || 2000,
            gracefulStop: '2m',
            stages: [1 / 3, 2 / 3, 1].flatMap((part) => [
                { duration: '2s', target: Math.ceil(rate * part) },
                { duration: each, target: Math.ceil(rate * part) },
            ]),
        },
    },
    thresholds: {
        http_req_duration: ['p(95)<200', 'p(99)<500'],
        ...stepThresholds,
        dropped_iterations: ['count<1'],
    },
    noConnectionReuse: true,
    summaryTrendStats,
};

export const setup = firstUser;
export default book;
export const handleSummary = reportOf('arrival', 'A pass: nobody dropped, every check kept, every threshold met.');
