/**
 * Keeps tables of a relational database equal to a stream of document changes.
 *
 * <pre>
 * DocumentChange → Unwinder     (the rows that the document comes to, or only those that differ)
 *                → WriteRowsFn  (one batch per bundle or 1,000 rows, newest change per row)
 *                → SharedTable  (per JVM and table: connections, documents being written, recent deletes)
 *                → BatchWriter  (one transaction: deletes, multi-row upserts under a version guard, retries)
 *                → database, through its {@link io.widebeam.sink.jdbc.Dialect}
 * </pre>
 *
 * <p>Start at {@link io.widebeam.sink.jdbc.JdbcTables}.
 */
package io.widebeam.sink.jdbc;
