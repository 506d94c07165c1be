-- Change of revenue against the month before = volume effect + price effect, to the last digit: the price effect is
-- what the (rounded) volume effect leaves, so that the two always add up.
WITH pairs AS (
    SELECT
        this.dataset,
        this.currency,
        this.month,
        this.revenue,
        before.revenue AS previous_revenue,
        CAST(this.revenue - before.revenue AS DECIMAL(28, 3)) AS change,
        CAST(
            round(
                CAST(before.revenue AS DECIMAL(24, 3)) * (this.quantity - before.quantity) / before.quantity, 3
            ) AS DECIMAL(28, 3)
        ) AS volume_effect
    FROM gold.revenue_by_month AS this
    INNER JOIN gold.revenue_by_month AS before
        ON this.dataset = before.dataset
        AND this.currency = before.currency
        AND this.month = add_months(before.month, 1)
)
SELECT
    dataset,
    currency,
    month,
    revenue,
    previous_revenue,
    change,
    volume_effect,
    CAST(change - volume_effect AS DECIMAL(28, 3)) AS price_effect,
    CAST(change AS DOUBLE) / CAST(previous_revenue AS DOUBLE) AS change_ratio
FROM pairs
