WITH lines AS (
    SELECT
        sales.dataset,
        sales.currency,
        CAST(date_trunc('month', sales.ordered_at) AS DATE) AS month,
        sales.amount,
        CAST(sales.quantity * costs.unit_cost AS DECIMAL(28, 3)) AS cost
    FROM silver.sales
    LEFT JOIN silver.product_costs AS costs
        ON sales.dataset = costs.dataset
        AND sales.currency = costs.currency
        AND sales.product_id = costs.product_id
),
months AS (
    SELECT
        dataset,
        currency,
        month,
        CAST(sum(CASE WHEN cost IS NOT NULL THEN amount ELSE 0 END) AS DECIMAL(28, 3)) AS revenue,
        CAST(coalesce(sum(cost), 0) AS DECIMAL(28, 3)) AS cost,
        CAST(sum(CASE WHEN cost IS NULL THEN amount ELSE 0 END) AS DECIMAL(28, 3)) AS uncosted_revenue
    FROM lines
    GROUP BY dataset, currency, month
)
SELECT
    dataset,
    currency,
    month,
    revenue,
    cost,
    CAST(revenue - cost AS DECIMAL(28, 3)) AS profit,
    CASE WHEN revenue <> 0 THEN CAST(revenue - cost AS DOUBLE) / CAST(revenue AS DOUBLE) END AS margin,
    uncosted_revenue
FROM months
