/**
 * Keeps a MongoDB collection equal to a stream of document changes.
 *
 * <pre>
 * DocumentChange → WriteDocumentsFn (one batch per bundle or 1,000 documents, newest change per document)
 *                → SharedTarget     (per JVM and collection: client, keys being written, recent deletes)
 *                → BatchWriter      (version guard, bulk write, refusals, retries)
 *                → MongoDB
 * </pre>
 *
 * <p>Start at {@link io.widebeam.sink.mongodb.MongoDocuments}.
 */
package io.widebeam.sink.mongodb;
