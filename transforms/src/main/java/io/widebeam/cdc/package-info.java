/**
 * Reads a database's changes: {@link io.widebeam.cdc.CdcIO}.
 *
 * <pre>
 *  database → ConnectorTask → ConnectorSession's thread                  | runner's thread
 *                             records → RecordDecoder ─┐                 |
 *                                                      ├→ CdcBatches  →  | CdcReader → ExplodeBatches
 *  database → TableLoader   → TableLoad's threads      │                 |
 *                             chunks of rows ──────────┘                 |
 * </pre>
 *
 * <p>The session's thread gives each change its number and its event time ({@code EventClock}), a
 * load gives rows numbers below those of all later changes. With each batch goes where the source
 * stands after it; the reader checkpoints the position of the last batch it handed out ({@code
 * CdcCheckpoint}, of which {@code LoadProgress} tells the chunks). {@code CatchUp} knows when the
 * log has been read to where it ended at some moment. {@code BinlogWatch} sees the events of a
 * MySQL or MariaDB log before the connector does, for what it passes over.
 */
package io.widebeam.cdc;
