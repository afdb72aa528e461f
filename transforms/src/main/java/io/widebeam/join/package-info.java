/**
 * Joins changes of rows into changes of documents.
 *
 * <pre>
 *   changes ──► Route ──┬── rows of looked-up tables ──►┌──────────┐
 *                       ├── who points where ──────────►│ Lookup/0 │── answers ──┐
 *                       │                               └──────────┘             ▼
 *                       └── rows of parents and their own children ──────► ┌────────────┐
 *                                                                          │ Assemble/1 │──► documents
 *                                                                          └────────────┘
 * </pre>
 *
 * <p>That is the whole graph of a view whose looked-up tables have no lookups of their own. Where
 * they have, the assembled rows of {@code Assemble/1} go on to {@code Lookup/2}, its answers to
 * {@code Assemble/3}, and so on up to the root. {@link io.widebeam.join.JoinPlan} decides the
 * stages; {@link io.widebeam.join.RouteFn}, {@link io.widebeam.join.LookupFn} and {@link
 * io.widebeam.join.AssembleFn} are the steps; {@link io.widebeam.join.Message} is what travels.
 */
package io.widebeam.join;
