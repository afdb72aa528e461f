/**
 * What cannot be processed, and where it goes: a {@link io.widebeam.deadletter.DeadLetter} each, to
 * the handler that a transform was given by its {@code withDeadLetters}. Without a handler the
 * pipeline fails instead.
 *
 * <p>Handlers are Beam's own {@code ErrorHandler}s; {@link io.widebeam.deadletter.DeadLetters}
 * makes one of any sink.
 */
package io.widebeam.deadletter;
