/**
 * Servers that Widebeam starts itself, on a free port of the loopback interface, for the demo, the
 * benchmark and the tests: {@link io.widebeam.runner.embedded.EmbeddedMariaDb} as a source and
 * {@link io.widebeam.runner.embedded.EmbeddedMongo} as a target. Nothing of them outlives the
 * process that started them, except the unpacked MariaDB binaries in the user's cache directory.
 */
package io.widebeam.runner.embedded;
