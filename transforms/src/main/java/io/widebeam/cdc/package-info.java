/**
 * Reads a database's changes: {@link io.widebeam.cdc.CdcIO}.
 *
 * <pre>
 *  database → connector task → ConnectorSession's thread            | runner's thread
 *                              records → RecordDecoder → CdcBatch → | CdcReader → ExplodeBatches
 * </pre>
 *
 * <p>The session's thread gives each change its number and its event time ({@code EventClock}) and
 * notes with each batch where the source stands after it; the reader checkpoints the position of
 * the last batch it handed out ({@code CdcCheckpoint}).
 */
package io.widebeam.cdc;
