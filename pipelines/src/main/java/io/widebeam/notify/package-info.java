/**
 * Tells people and programs what a flow is up to: by webhook and by mail.
 *
 * <pre>
 *   the life of a run ──► {@link io.widebeam.notify.Notifier} ────────────┐
 *                                                                       ├──► {@link io.widebeam.notify.Channel}
 *   rows of rollups ──► {@link io.widebeam.notify.RuleNotifications} ──► Outbox ──┘
 * </pre>
 *
 * <p>The process that runs a flow tells of its life, from a queue of its own: what it cannot
 * deliver within a few attempts is lost, and said so in the log. Rules are steps of the pipeline,
 * and what they tell is a part of its checkpoints until it is delivered. Neither keeps the flow
 * waiting, and neither ends it.
 */
package io.widebeam.notify;
