WITH customers AS (
    SELECT
        dataset,
        currency,
        customer_id,
        count(*) AS lines,
        sum(CAST(quantity AS BIGINT)) AS quantity,
        sum(amount) AS revenue,
        min(ordered_at) AS first_ordered_at,
        max(ordered_at) AS last_ordered_at
    FROM silver.sales
    GROUP BY dataset, currency, customer_id
),
totals AS (
    SELECT dataset, currency, sum(revenue) AS total
    FROM customers
    GROUP BY dataset, currency
)
SELECT
    customers.dataset,
    customers.currency,
    customers.customer_id,
    customers.lines,
    customers.quantity,
    customers.revenue,
    customers.first_ordered_at,
    customers.last_ordered_at,
    CAST(customers.revenue AS DOUBLE) / CAST(totals.total AS DOUBLE) AS share
FROM customers
INNER JOIN totals ON customers.dataset = totals.dataset AND customers.currency = totals.currency
