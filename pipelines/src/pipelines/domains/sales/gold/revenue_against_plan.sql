-- A month after the last one with sales of its source is planned and nothing is known of it: `status` says so, since its
-- zero is no revenue. The last one itself may not be over.
WITH months AS (
    SELECT
        coalesce(plan.dataset, sold.dataset) AS dataset,
        coalesce(plan.currency, sold.currency) AS currency,
        coalesce(plan.month, sold.month) AS month,
        coalesce(plan.planned_revenue, CAST(0 AS DECIMAL(28, 3))) AS planned_revenue,
        coalesce(sold.revenue, CAST(0 AS DECIMAL(28, 3))) AS revenue,
        sold.month AS sold_in
    FROM silver.sales_plan AS plan
    FULL OUTER JOIN gold.revenue_by_month AS sold
        ON plan.dataset = sold.dataset
        AND plan.currency = sold.currency
        AND plan.month = sold.month
)
SELECT
    dataset,
    currency,
    month,
    planned_revenue,
    revenue,
    CAST(revenue - planned_revenue AS DECIMAL(28, 3)) AS variance,
    CASE
        WHEN planned_revenue <> 0
            THEN CAST(revenue - planned_revenue AS DOUBLE) / CAST(planned_revenue AS DOUBLE)
    END AS variance_ratio,
    CAST(sum(planned_revenue) OVER (
        PARTITION BY dataset, currency, year(month) ORDER BY month
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS DECIMAL(28, 3)) AS planned_to_date,
    CAST(sum(revenue) OVER (
        PARTITION BY dataset, currency, year(month) ORDER BY month
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS DECIMAL(28, 3)) AS revenue_to_date,
    CASE
        WHEN month < max(sold_in) OVER (PARTITION BY dataset) THEN 'closed'
        WHEN month = max(sold_in) OVER (PARTITION BY dataset) THEN 'open'
        ELSE 'ahead'
    END AS status
FROM months
