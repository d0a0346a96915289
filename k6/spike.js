// The doors open: 5,000 people in 10 seconds, each of whom books once, faster than the lines admit. An open model: arrivals do not
// wait for answers.
//
// A pass means: everybody was served (100 % of the checks, nobody left over), and during the rush answers stayed within the limits
// below. USERS=20000 makes a larger rush, CONCERTS=1 sends all to one concert.

import { book, firstUser } from './lib/booking.js';
import { reportOf } from './lib/report.js';
import { DURATION, USERS, seconds, stepThresholds, summaryTrendStats } from './lib/settings.js';

const users = USERS || 5000;
const duration = DURATION || '10s';

export const options = {
    scenarios: {
        spike: {
            executor: 'constant-arrival-rate',
            rate: Math.round(users / seconds(duration)),
            timeUnit: '1s',
            duration,
            preAllocatedVUs: users,
            gracefulStop: '10m', // the last in line may wait that long
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
export const handleSummary = reportOf('spike', 'A pass: everybody served, every check kept, every threshold met.');
