/**
 * How fast the order view is ({@code widebeam bench}). Everything that is measured runs in a
 * process of its own and is counted from that process's start; the clocks are read outside of it.
 */
package io.widebeam.runner.bench;
