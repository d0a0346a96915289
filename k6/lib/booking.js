// One person books seats: the six steps of the original load test, in order, every answer checked.
//
//     checkConcertSchedules ─▶ issueWaitingToken ─▶ checkQueueInfo ─▶ reserveSeats ─▶ chargePoint ─▶ payment
//                                                   ▲      │          ▲     │
//                                   until admitted: └─pause┘          └taken┘ :other seats
//
// A wrong answer ends the visit, because the next steps could not be checked. `users_begun` less `users_served` is the number of
// such visits, and of people still in line when the test ended.

import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { BASE_URL, CONCERTS, SCHEDULES, SPREAD, THINK } from './settings.js';
import { isAdmitted, pauseAfter } from './pace.js';
import * as contract from './verify.js';

const POLLS_MAX = 600; // longer than any line here; a bound so that a line that stands still ends the test
const TRIES_MAX = 20; // to find free seats
const TAKEN = '이미 예약중인 좌석입니다.';
const NOTHING = {}; // stands for a missing answer

const begun = new Counter('users_begun');
const served = new Counter('users_served');
const conflicts = new Counter('seat_conflicts');
const sold = new Counter('seats_sold');
const pauses = new Trend('poll_pause'); // seconds
const inLine = new Trend('time_in_line', true);

http.setResponseCallback(http.expectedStatuses(200));

// The ids of a run's users start here: seconds since 2025 in the high 30 bits, iterations in the low 23. They stay
// below 2^53, and two runs against one server share no user, whatever their length.
export function firstUser() {
    return (Math.floor(Date.now() / 1000) - 1735689600) * 2 ** 23;
}

// One person's visit. After a failure the person stays away for a second, so that a server that is down is not stormed.
export function book(firstUserOfRun) {
    if (!wasServed(firstUserOfRun)) sleep(1);
}

// Books as a person who has never been here before; true when everything was as promised.
function wasServed(firstUserOfRun) {
    const userId = firstUserOfRun + exec.scenario.iterationInTest + 1;
    const concertId = 1 + below(CONCERTS);
    begun.add(1);
    if (exec.vu.iterationInScenario === 0) sleep(Math.random() * SPREAD);

    const schedules = checkConcertSchedules(concertId);
    if (!schedules) return false;
    think();
    const token = issueWaitingToken(concertId, userId);
    if (!token || !waitInLine(concertId, token)) return false;
    think();
    const { wanted, held } = reserveSeats(concertId, token, schedules);
    if (!held) return false;
    think();
    const price = held.reduce((sum, each) => sum + each.seatPrice, 0);
    const amount = price + 1000 * below(100);
    if (!chargePoint(userId, amount)) return false;
    think();
    if (!payment(token, userId, wanted, held, price, amount - price)) return false;
    served.add(1);
    sold.add(held.length);
    return true;
}

// Gives two schedules, drawn at random. k6 needs 1.8 ms to parse and check 240 of them, several times the cost of a
// request, and would spend its time on that instead of on the load: so each person has the two drawn read out of the
// text (0.06 ms), and every 50th reads the whole list.
function checkConcertSchedules(concertId) {
    const step = 'checkConcertSchedules';
    const response = get(step, `/api/v1/concert/schedules?concertId=${concertId}`);
    const [count, ...drawn] = contract.partsOf(response, `[#,${below(SCHEDULES)},${below(SCHEDULES)}]`);
    const whole = exec.scenario.iterationInTest % 50 === 0 ? contract.bodyOf(response) : drawn;
    return contract.verify(step, response, {
        'checkConcertSchedules: status 200': response.status === 200,
        'checkConcertSchedules: as many as the catalogue has': count === SCHEDULES,
        'checkConcertSchedules: the concert, its evenings, free seats': contract.areSchedules(whole, concertId),
    }) && drawn;
}

function issueWaitingToken(concertId, userId) {
    const step = 'issueWaitingToken';
    const response = post(step, '/api/v1/waiting', { concertId, userId });
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'issueWaitingToken: status 200': response.status === 200,
        'issueWaitingToken: a token for this user and concert': contract.isToken(body, concertId, userId),
    }) && body.tokenId;
}

function waitInLine(concertId, token) {
    const step = 'checkQueueInfo';
    const since = Date.now();
    let before = Infinity;
    for (let poll = 0; poll < POLLS_MAX; poll++) {
        const response = get(step, `/api/v1/waiting?concertId=${concertId}`, token);
        const body = contract.bodyOf(response);
        const fine = contract.verify(step, response, {
            'checkQueueInfo: status 200': response.status === 200,
            'checkQueueInfo: the same token': body.tokenId === token,
            'checkQueueInfo: a place, and the seconds that go with it': contract.isPlace(body),
            'checkQueueInfo: nobody passes': body.remainingWaitingOrder <= before,
        });
        if (!fine) return false;
        if (isAdmitted(body)) {
            inLine.add(Date.now() - since);
            return true;
        }
        before = body.remainingWaitingOrder;
        const pause = pauseAfter(response);
        pauses.add(pause);
        sleep(pause);
    }
    return contract.verify(step, NOTHING, { 'checkQueueInfo: admitted in the end': false });
}

// Another person may have been faster: that answer is as correct as a reservation, and the person picks other seats.
function reserveSeats(concertId, token, schedules) {
    const step = 'reserveSeats';
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
        const wanted = { concertId, ...pickSeats(schedules) };
        const response = post(step, '/api/v1/reservation', {
            concertId,
            concertScheduleId: wanted.schedule.concertScheduleId,
            seatIds: wanted.seatIds,
        }, token, http.expectedStatuses(200, 400));
        const body = contract.bodyOf(response);
        if (response.status === 400 && body.message === TAKEN) {
            conflicts.add(1);
            continue;
        }
        const fine = contract.verify(step, response, {
            'reserveSeats: status 200': response.status === 200,
            'reserveSeats: the seats asked for, held, priced': contract.areReservations(body, wanted, 'SUSPEND'),
        });
        return { wanted, held: fine ? body : undefined };
    }
    contract.verify(step, NOTHING, { 'reserveSeats: seats in the end': false });
    return {};
}

// Mostly one seat, sometimes two, of the emptier of the two schedules drawn: conflicts happen, but seldom.
function pickSeats(schedules) {
    const [one, other] = schedules;
    const schedule = one.remainingSeatCount >= other.remainingSeatCount ? one : other;
    const seat = 1 + below(contract.SEATS_IN_HALL);
    const seatIds = Math.random() < 0.75 ? [seat] : [seat, (seat % contract.SEATS_IN_HALL) + 1];
    return { schedule, seatIds };
}

function chargePoint(userId, amount) {
    const step = 'chargePoint';
    const response = post(step, `/api/v1/point/charge?userId=${userId}&amount=${amount}`, null);
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'chargePoint: status 200': response.status === 200,
        'chargePoint: the charge of this user': contract.isCharge(body, userId, amount),
        'chargePoint: a new balance is what was charged': body.balance === amount,
    });
}

function payment(token, userId, wanted, held, price, change) {
    const step = 'payment';
    const reservationIds = held.map((each) => each.reservationId);
    const response = post(step, '/api/v1/payment', { concertId: wanted.concertId, reservationIds }, token);
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'payment: status 200': response.status === 200,
        'payment: by this user': body.userId === userId,
        'payment: exactly the price': body.pointAmount === price,
        'payment: the balance is what is left': body.pointBalance === change,
        'payment: the reservations, sold': contract.arePaid(body.reservations, held, wanted, userId),
    });
}

// Between half and one and a half times THINK.
const think = () => sleep(THINK * (0.5 + Math.random()));

const below = (bound) => Math.floor(Math.random() * bound);

function get(name, path, token) {
    return http.get(BASE_URL + path, { headers: headersWith(token), tags: { name } });
}

function post(name, path, body, token, responseCallback) {
    const headers = headersWith(token);
    if (body !== null) headers['Content-Type'] = 'application/json';
    const params = { headers, tags: { name } };
    if (responseCallback) params.responseCallback = responseCallback;
    return http.post(BASE_URL + path, body === null ? null : JSON.stringify(body), params);
}

function headersWith(token) {
    return token ? { 'X-Concert-Token': token } : {};
}
