/**
 * Declared flows: from a flow file or the Java API to a Beam graph.
 *
 * <pre>
 * FlowYaml ─┐                SourceCatalog, TargetCatalog
 *           ├→ Flow → FlowRules ─┐        │
 * Java API ─┘     (alone)        └→ FlowPlanner → PlannedFlow → FlowComposer → Pipeline
 *                                                          └──→ FlowLauncher → RunningFlow
 * </pre>
 *
 * A {@link io.widebeam.flow.Flow} says what is wanted and nothing more. {@link
 * io.widebeam.flow.FlowPlanner} holds it against the databases, and every mistake found on the way
 * is a {@link io.widebeam.flow.Problem} with its place and its remedy, all of them in one {@link
 * io.widebeam.flow.FlowException}. Start reading at {@link io.widebeam.flow.FlowComposer}: it is
 * the map of the pipeline.
 */
package io.widebeam.flow;
