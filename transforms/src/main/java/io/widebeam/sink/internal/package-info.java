/** What the sinks have in common; no part of the API. */
package io.widebeam.sink.internal;
