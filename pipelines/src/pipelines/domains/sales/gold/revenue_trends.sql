-- The calendar decides what the period before is, not the row before: a month without sales is no neighbour.
WITH periods AS (
    SELECT
        dataset,
        currency,
        'month' AS period,
        month AS starts_on,
        revenue,
        add_months(month, -1) AS previous_on,
        add_months(month, -2) AS window_on,
        add_months(month, -12) AS year_ago_on,
        3 AS wanted
    FROM gold.revenue_by_month
    UNION ALL
    SELECT
        dataset,
        currency,
        'week' AS period,
        week AS starts_on,
        revenue,
        date_add(week, -7) AS previous_on,
        date_add(week, -21) AS window_on,
        date_add(week, -364) AS year_ago_on,
        4 AS wanted
    FROM gold.revenue_by_week
),
averages AS (
    SELECT
        this.dataset,
        this.currency,
        this.period,
        this.starts_on,
        count(*) AS found,
        CAST(sum(near.revenue) AS DECIMAL(24, 3)) AS total
    FROM periods AS this
    INNER JOIN periods AS near
        ON this.dataset = near.dataset
        AND this.currency = near.currency
        AND this.period = near.period
        AND near.starts_on BETWEEN this.window_on AND this.starts_on
    GROUP BY this.dataset, this.currency, this.period, this.starts_on
)
SELECT
    this.dataset,
    this.currency,
    this.period,
    this.starts_on,
    this.revenue,
    before.revenue AS previous_revenue,
    CAST(this.revenue - before.revenue AS DOUBLE) / CAST(before.revenue AS DOUBLE) AS change_ratio,
    CASE
        WHEN averages.found = this.wanted THEN CAST(round(averages.total / this.wanted, 3) AS DECIMAL(28, 3))
    END AS moving_average,
    year_ago.revenue AS year_ago_revenue,
    CAST(this.revenue - year_ago.revenue AS DOUBLE) / CAST(year_ago.revenue AS DOUBLE) AS year_on_year
FROM periods AS this
INNER JOIN averages
    ON this.dataset = averages.dataset
    AND this.currency = averages.currency
    AND this.period = averages.period
    AND this.starts_on = averages.starts_on
LEFT JOIN periods AS before
    ON this.dataset = before.dataset
    AND this.currency = before.currency
    AND this.period = before.period
    AND this.previous_on = before.starts_on
LEFT JOIN periods AS year_ago
    ON this.dataset = year_ago.dataset
    AND this.currency = year_ago.currency
    AND this.period = year_ago.period
    AND this.year_ago_on = year_ago.starts_on
