/**
 * A warehouse for the demo: a shop that sells phones, its tables copied, joined and summed up by
 * four dbt models, and the purchases that make the sums grow.
 */
package io.widebeam.runner.warehouse;
