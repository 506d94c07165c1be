SELECT
    'online_retail' AS dataset,
    customer_id,
    stock_code AS product_id,
    ordered_at,
    quantity,
    amount,
    currency
FROM silver.online_retail
UNION ALL
SELECT
    'cdnow' AS dataset,
    customer_id,
    CAST(NULL AS STRING) AS product_id,
    ordered_at,
    quantity,
    amount,
    currency
FROM silver.cdnow
