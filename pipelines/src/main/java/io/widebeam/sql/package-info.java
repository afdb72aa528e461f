/**
 * SQL expressions over rows.
 *
 * <pre>
 * text → MySqlText → ExpressionRules → Calcite's validator → RexRules → Calcite's code generator
 *        (parse)     (names, refusals)     (types)          (semantics)   → CompiledExpression
 * </pre>
 *
 * <p>{@link io.widebeam.sql.SqlExpressions} is the way in. What Calcite computes otherwise than
 * MySQL is put right in {@link io.widebeam.sql.ExpressionRules} before types are known, or in
 * {@link io.widebeam.sql.RexRules} after; functions are added in {@link
 * io.widebeam.sql.MySqlFunctions}.
 */
package io.widebeam.sql;
