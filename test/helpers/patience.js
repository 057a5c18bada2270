'use strict';
// By how much the upper limits of measured times are stretched: the scripts run files side by side with compilers, and on
// machines that others keep busy. What a limit tells apart (a timeout from its absence, a push from a poll) is further apart.
const PATIENCE = Number(process.env.TIERCEL_TEST_PATIENCE ?? 1);

module.exports = { PATIENCE };
