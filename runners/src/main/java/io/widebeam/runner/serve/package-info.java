/**
 * The dashboard: a page, and the JSON that it asks for, over what a flow has written.
 *
 * <pre>
 * browser ── index.html, dashboard.js ── Dashboard ── Targets ─┬─ JdbcTable  ── ReadPool
 *            polls /api/…                 (HTTP)               └─ MongoTable ── MongoClient
 * </pre>
 *
 * It reads the flow's targets alone: neither the sources nor the running flow, so it can run on
 * another machine than the flow does. Every value is sent as a text, as exact as the database has
 * it.
 */
package io.widebeam.runner.serve;
