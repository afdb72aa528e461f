/**
 * What a flow keeps on this machine's disk between two runs ({@link
 * io.widebeam.runner.state.StateDirectory}), and how others learn of a run ({@link
 * io.widebeam.runner.state.RunReport}).
 */
package io.widebeam.runner.state;
