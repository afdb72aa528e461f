/**
 * The shop of the demo, the benchmark and the tests: six tables of orders ({@link
 * io.widebeam.runner.shop.Shop}), what happens in them ({@link
 * io.widebeam.runner.shop.ShopScenarios}), and whether the order view is right ({@link
 * io.widebeam.runner.shop.ShopVerifier}).
 */
package io.widebeam.runner.shop;
