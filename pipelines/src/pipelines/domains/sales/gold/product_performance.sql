WITH products AS (
    SELECT
        'online_retail' AS dataset,
        currency,
        stock_code AS product_id,
        max(description) AS product,
        count(DISTINCT customer_id) AS customers,
        count(*) AS lines,
        sum(CAST(quantity AS BIGINT)) AS quantity,
        sum(amount) AS revenue,
        min(ordered_at) AS first_sold_at,
        max(ordered_at) AS last_sold_at
    FROM silver.online_retail
    GROUP BY currency, stock_code
),
ranked AS (
    SELECT
        dataset,
        currency,
        product_id,
        product,
        customers,
        lines,
        quantity,
        revenue,
        first_sold_at,
        last_sold_at,
        row_number() OVER (PARTITION BY dataset, currency ORDER BY revenue DESC, product_id) AS revenue_rank,
        sum(revenue) OVER (PARTITION BY dataset, currency) AS total,
        sum(revenue) OVER (
            PARTITION BY dataset, currency ORDER BY revenue DESC, product_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS up_to_here
    FROM products
)
SELECT
    ranked.dataset,
    ranked.currency,
    ranked.product_id,
    ranked.product,
    ranked.customers,
    ranked.lines,
    ranked.quantity,
    ranked.revenue,
    ranked.first_sold_at,
    ranked.last_sold_at,
    ranked.revenue_rank,
    CAST(ranked.revenue AS DOUBLE) / CAST(ranked.total AS DOUBLE) AS share,
    CASE
        WHEN CAST(ranked.up_to_here - ranked.revenue AS DOUBLE) < 0.8 * CAST(ranked.total AS DOUBLE) THEN 'A'
        WHEN CAST(ranked.up_to_here - ranked.revenue AS DOUBLE) < 0.95 * CAST(ranked.total AS DOUBLE) THEN 'B'
        ELSE 'C'
    END AS abc_class,
    CAST(ranked.revenue - CAST(ranked.quantity * costs.unit_cost AS DECIMAL(28, 3)) AS DECIMAL(28, 3)) AS profit
FROM ranked
LEFT JOIN silver.product_costs AS costs
    ON ranked.dataset = costs.dataset
    AND ranked.currency = costs.currency
    AND ranked.product_id = costs.product_id
