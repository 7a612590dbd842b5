/* Keys for specs, made for them and used nowhere else; and those of the RFCs, as JWKs. */
#ifndef TG_UNIT_SUPPORT_KEYS_H
#define TG_UNIT_SUPPORT_KEYS_H

/* clang-format off */
#define KEY_P384_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBsa2+m21pLjbPuTf2s\n" \
    "iBFTthkX8ZUus0sBZmGU7D/aohEEKwLnd6WmeYhAh6NB/hWhZANiAAQJ+nNKnJ6U\n" \
    "oIpEu03hMbqMiZBRJK4EbgbtWvFcj9A/VtEiW56Txyue/z/Pxj0JdM8Vyt5WQ9QR\n" \
    "uRtsPlGkDmtMGYGyWio4tark7lKmezduSe9rotBSeLZvz2K+kTImQLs=\n" \
    "-----END PRIVATE KEY-----\n"

#define KEY_P256_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgP3Sct2yX3JyGOIhZ\n" \
    "p6oqxb7FJl9zryZU/5OmisdpxeehRANCAATGB/GIohMlzAN9vdIYk635+YY6YtG8\n" \
    "VoAAymckGT7qISlrUA5aXXEr6CofLXJi3sqMkPGoNF85dPB7VfNn5cWv\n" \
    "-----END PRIVATE KEY-----\n"

#define KEY_P256_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExgfxiKITJcwDfb3SGJOt+fmGOmLR\n" \
    "vFaAAMpnJBk+6iEpa1AOWl1xK+gqHy1yYt7KjJDxqDRfOXTwe1XzZ+XFrw==\n" \
    "-----END PUBLIC KEY-----\n"

#define KEY_P256_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIBfzCCASWgAwIBAgIUPiVc20qfVaqMm882jkSJmz8QCNMwCgYIKoZIzj0EAwIw\n" \
    "FDESMBAGA1UEAwwJa2V5cy50ZXN0MCAXDTI2MTEyMTE4MzkwNloYDzIxMjYxMDI4\n" \
    "MTgzOTA2WjAUMRIwEAYDVQQDDAlrZXlzLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO\n" \
    "PQMBBwNCAATGB/GIohMlzAN9vdIYk635+YY6YtG8VoAAymckGT7qISlrUA5aXXEr\n" \
    "6CofLXJi3sqMkPGoNF85dPB7VfNn5cWvo1MwUTAdBgNVHQ4EFgQUs/dTQWTSHWBg\n" \
    "aXKPrfFdILn09mwwHwYDVR0jBBgwFoAUs/dTQWTSHWBgaXKPrfFdILn09mwwDwYD\n" \
    "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA747jbG3TWYWdjpFtG2hru\n" \
    "IZNIrZy2GD5zzFgyUg2xWQIhAPrzGXyX5ZQwEySd88k6nlKJhExlbXU+cZg+gzYa\n" \
    "eKQC\n" \
    "-----END CERTIFICATE-----\n"

#define KEY_P256_ENCRYPTED \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh4/vzceBDQWAICCAAw\n" \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIHVst9XL8O2wpEvpD01nvUEgZBB\n" \
    "ZURZ/sd8GmfuxE58EJqq/qlJuXwxRHFL2QY2hQptjqh+7tDrKDju6c5QGeIcRS8i\n" \
    "UD0jszZHD3/SVf7lQ/q1uCetsXL0W3AHKNCd/P104VClnpMfDYshqGCbJ8xyFCj5\n" \
    "fDlt6C3q6Q6ZHkjhVWQY8tp8JrTp/uZg8wo2txf8BKeKEBNPGuY8qoPkb/jKZk4=\n" \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define KEY_ED448_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MEcCAQAwBQYDK2VxBDsEOf0kE/5DWtZW18e3tA4ClWroIPMPz7MjLY05hvLLAvzz\n" \
    "oi3iIzEe5FMy+cpjewTFKa6VoFiWAY/cww==\n" \
    "-----END PRIVATE KEY-----\n"

#define KEY_RSA1024_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5hOPrsMAcmooDEwmwN2iQwrSX\n" \
    "q9XXErMaqolHwO4nU+Yt3KHDgAc3FnDzHRslx2X0caoBagZyGBuCutzMMZ4IgbiA\n" \
    "Glu1e9rIuHGBdxk6r9Hs+3CMXxJ2Wdloi/CZ6PQJC6c2bBt0r3jtj2uhtaIjS+j9\n" \
    "J22t0FW7jDZTEhaCVwIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define KEY_RSA_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC5nd4I7ZYffPwp\n" \
    "lQ8pyfz9APy4cz9mDZCVI+izza7RGlzYrjumTkjl1/yI1r6MhXbkHktvYaSNPoIC\n" \
    "hzP5+cHLqkgtOhQR+E+KMWYt5SrpHyiEkVKuonihdUaHq0jMvfebs0if3tNiGnqQ\n" \
    "U/ZI2yIEqKSWQEMDjzAt/qP7f+rhjq70ka9mMYP5o1Xq5HLYdg9PCt4UeJWIWyf/\n" \
    "tfkQyE5GbpIph7MSKEzMaYHKS/6qS6vgoSfq4jzBOWk8lExmwt1bwEP7IgjUsp6k\n" \
    "MZEnEkM+DRCGRSLSLl5ZppUdBh4hOOxqnpTn+SlBUNUZCu2yMZcoLkZXE16z0Dbp\n" \
    "2lGtB3Z3AgMBAAECggEAANknWBwZ2Qf9sQT03kiFhvR3szIXopRCSmQxHo08lMkN\n" \
    "jpHxRNfLvn0nsspkcYj0m6NFzfsAwQJ9npxWkPhiudcL4GUJDXH4jxWdtWz8LreN\n" \
    "PFnbql+ktHwwN9OBECp4FLaTiOOATMz5LWqsz/VsaOAKbINbqwr++d7VigMyJBi8\n" \
    "Uc5vNUniRbxRuXzbfFbAGiewO81L8xVvT40GhzTUuWal4RDo3d7gNc1LwrVNUaCe\n" \
    "fmrkDY5lqWLI5CmqQ1g5K+nfWFv7IOpTwqk/pdX/lTD1x1ZrH/F9HQ7syPq84wbs\n" \
    "FMGrnmzcpmbDt51BI8DddmkPquXiUC4LInEGolx1PQKBgQD7B+Dwsx34ax9oD2od\n" \
    "0d2twMne2TVZu8gibSkc+n3ZPbcgwOXPzZj9NviBv7LzYOtvIAVEkB6UQSHUi/E7\n" \
    "XYdMEly/5RuAB33apVoJ5CVUEXd7JzmKx36soHETXEEG1U7J/6UTSFaOukVWSFJr\n" \
    "qp1482W14e6mejOsHBBa6DoNdQKBgQC9Sn8oEk2d1PRdJA/v/yDD7wVCVpbI77fd\n" \
    "1qS5stT8vgjVO4K/IOFMcK59QoftAMZG+mdYgGqTvokG2FXGPIegjii+cFniNmEQ\n" \
    "FDQBa2bOiAG8b4tpk1m+E8fN6H8dexbqtLI9lq05SZNM6mM+EdTlIRqN7Z7E/eaj\n" \
    "LWJ5N0LauwKBgBN/HydSogdDOqM4X0OFozP1fzhBonUfsoGJ/OF1SwTuWCTBFpg3\n" \
    "HaS8+jwJiXqBkoeE8yPKFbXqARii7c9wiiuMWYvF3YbqDgpHQWD3STboTGFSQJPY\n" \
    "vqvloiKgzaQcOQxTQJzox2A6c1wqLcyS6bwVG1cu/vwLDaxWWabV1nxpAoGAVybb\n" \
    "kLmMnuSTdebKp7cRgOSlyTtQxUcJosvWn+EkixF7w6FYu2MKGEWxMN7W8lnu8HMN\n" \
    "7gOCDnAlas9j/peT4mpRfA0CdVKQMfT7VMP8W47nLbk1uPAs24UD81veWtZ3YKy9\n" \
    "e/nJ25xyg3FPLB7NpIkvTrVe6lf0PqEAu8qjr00CgYEA2vwvRdo5T+p/bVwCc4tf\n" \
    "r1oV3p6dexDYdEXS5aTxqhlb7goE3PlQwbKtAr0TcyzsBZFCBRBiAbsiUdp5uJkE\n" \
    "gh4vU7230pCoKLb71I8hm46gZ/b1Ae4y3k1r2J+DzyoARFXVkgOAYr/pA12nLmfK\n" \
    "+X1hFVQhu75FpsC1YSCgxRw=\n" \
    "-----END PRIVATE KEY-----\n"

#define KEY_RSA_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuZ3eCO2WH3z8KZUPKcn8\n" \
    "/QD8uHM/Zg2QlSPos82u0Rpc2K47pk5I5df8iNa+jIV25B5Lb2GkjT6CAocz+fnB\n" \
    "y6pILToUEfhPijFmLeUq6R8ohJFSrqJ4oXVGh6tIzL33m7NIn97TYhp6kFP2SNsi\n" \
    "BKiklkBDA48wLf6j+3/q4Y6u9JGvZjGD+aNV6uRy2HYPTwreFHiViFsn/7X5EMhO\n" \
    "Rm6SKYezEihMzGmBykv+qkur4KEn6uI8wTlpPJRMZsLdW8BD+yII1LKepDGRJxJD\n" \
    "Pg0QhkUi0i5eWaaVHQYeITjsap6U5/kpQVDVGQrtsjGXKC5GVxNes9A26dpRrQd2\n" \
    "dwIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define KEY_RSA_PUBLIC_PKCS1 \
    "-----BEGIN RSA PUBLIC KEY-----\n" \
    "MIIBCgKCAQEAuZ3eCO2WH3z8KZUPKcn8/QD8uHM/Zg2QlSPos82u0Rpc2K47pk5I\n" \
    "5df8iNa+jIV25B5Lb2GkjT6CAocz+fnBy6pILToUEfhPijFmLeUq6R8ohJFSrqJ4\n" \
    "oXVGh6tIzL33m7NIn97TYhp6kFP2SNsiBKiklkBDA48wLf6j+3/q4Y6u9JGvZjGD\n" \
    "+aNV6uRy2HYPTwreFHiViFsn/7X5EMhORm6SKYezEihMzGmBykv+qkur4KEn6uI8\n" \
    "wTlpPJRMZsLdW8BD+yII1LKepDGRJxJDPg0QhkUi0i5eWaaVHQYeITjsap6U5/kp\n" \
    "QVDVGQrtsjGXKC5GVxNes9A26dpRrQd2dwIDAQAB\n" \
    "-----END RSA PUBLIC KEY-----\n"

/* RFC 7515 A.1, with the algorithm that it is used for */
#define KEY_RFC7515_A1 \
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUu" \
    "TwjAzZr1Z9CAow\",\"alg\":\"HS256\"}"

#define KEY_RFC7515_A2 \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LO" \
    "L-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Zw" \
    "Kh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" \
    "\",\"e\":\"AQAB\",\"d\":\"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgv" \
    "fTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxz" \
    "ubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1Zd" \
    "iYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ" \
    "\",\"p\":\"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9A" \
    "B0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc\"," \
    "\"q\":\"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7" \
    "TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc\",\"d" \
    "p\":\"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-F" \
    "OKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0\",\"dq" \
    "\":\"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9" \
    "U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU\",\"qi\"" \
    ":\"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5" \
    "cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U\"}"

#define KEY_RFC7515_A2_PUBLIC \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LO" \
    "L-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Zw" \
    "Kh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" \
    "\",\"e\":\"AQAB\"}"

#define KEY_RFC7515_A3 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m" \
    "36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"

#define KEY_RFC7515_A4 \
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjF" \
    "Z6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhj" \
    "Dly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\",\"d\":\"AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6" \
    "Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C\"}"

#define KEY_RFC8037_A1 \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"x\":\"11qYAY" \
    "KxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

/* RFC 7520 3.3, with the algorithm of 4.2 */
#define KEY_RFC7520_3_3 \
    "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"n\":\"n4EPtAOCc9AlkeQHPzHSt" \
    "gAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVw" \
    "GU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1" \
    "NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_m" \
    "zSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\",\"e\":\"AQAB\",\"alg\":\"PS384\"}"

/* clang-format on */

#endif
