/**
 * Aggregates over a view's documents, kept up to date by what each change contributes.
 *
 * <pre>
 *   document changes ──► Contribute ──► what a document gives each of its groups ──► Aggregate ──► rows of groups
 *                            ▲
 *        groups in the target┘ (once after a start)
 * </pre>
 *
 * <p>{@link io.widebeam.rollup.Aggregation} says what to group by and what to compute; {@link
 * io.widebeam.rollup.Rollup} is the transform. A group's row is a {@link
 * io.widebeam.document.DocumentChange} like any other, so that every sink takes it.
 */
package io.widebeam.rollup;
