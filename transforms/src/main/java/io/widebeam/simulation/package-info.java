/**
 * Shows that views end equal to the join and rollups to the grouping, whatever happens: runs the
 * real steps of a graph in memory over random rows, in random order, with crashes, and compares.
 *
 * <pre>
 *   {@link io.widebeam.simulation.Scenario} ── tables, views, events ──► {@link io.widebeam.simulation.Simulation} ◄── a seed for the order of things
 *                                                        │
 *     Reader ── changes ──► GraphRun (the steps) ── documents ──► Target   ═══ compared with ═══   ViewOracle, DerivedOracle
 * </pre>
 */
package io.widebeam.simulation;
